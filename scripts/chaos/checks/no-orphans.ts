import type { ProcessFacts } from '../facts.ts'
import type { Check } from './check.ts'

export interface ProcessScene {
  /** Everything that belongs to the scenario. */
  processes: readonly ProcessFacts[]
  /** What may be there: these, and what they started. */
  roots: readonly number[]
}

export const noOrphans: Check<ProcessScene> = {
  name: 'no process is left behind',
  complaints: ({ processes, roots }) =>
    processes
      .filter(({ pid, ancestors }) => ![pid, ...ancestors].some((one) => roots.includes(one)))
      .map(({ pid, command }) => `process ${pid} is left behind: ${command}`),
}
