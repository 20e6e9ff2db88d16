import type { Usage } from '@opencode-gateway/contracts'
import type { StepPart } from './engine-model.ts'
import { optional } from './read.ts'
import type { Emit, RunView } from './run-view.ts'

/** Adds a finished model call to the run, once, and tells the sum. */
export function addStep(view: RunView, step: StepPart, model: string | undefined, emit: Emit): void {
  if (view.steps.has(step.id)) return
  view.steps.add(step.id)
  view.usage = sumUsage(view.usage, step, model)
  if (view.usage.model_calls > view.told.modelCalls) emit({ type: 'usage', data: view.usage })
}

/** The engine says a cost of 0 for a model whose price it does not know, so tokens without a cost are of unknown price. */
function sumUsage(usage: Usage, { tokens, cost }: StepPart, model: string | undefined): Usage {
  const unpriced = cost === 0 && tokens.input + tokens.output + tokens.reasoning > 0
  return {
    tokens: {
      input: usage.tokens.input + tokens.input,
      output: usage.tokens.output + tokens.output,
      reasoning: usage.tokens.reasoning + tokens.reasoning,
      cache_read: usage.tokens.cache_read + tokens.cacheRead,
      cache_write: usage.tokens.cache_write + tokens.cacheWrite,
    },
    cost_usd: unpriced || usage.cost_usd === null ? null : usage.cost_usd + cost,
    model_calls: usage.model_calls + 1,
    ...optional('model', model ?? usage.model),
  }
}
