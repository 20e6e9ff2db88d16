import type { OrderFacts } from '../facts.ts'
import type { Check } from './check.ts'

export const effectsOnce: Check<OrderFacts> = {
  name: 'no command runs twice',
  complaints: ({ runId, kind, effects = 0 }) =>
    effects <= 1 ? [] : [`the command of run ${runId} (${kind}) ran ${effects} times`],
}
