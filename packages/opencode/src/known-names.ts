import { ExecutorError } from '@opencode-gateway/contracts'
import type { PromptInput } from '@opencode-gateway/contracts'

/**
 * Throws for names that the engine would find although nobody configured them: it looks agents, providers and models up
 * in plain objects, finds what every object inherits, and breaks on it.
 */
export function refuseInheritedNames({ agent, model }: Pick<PromptInput, 'agent' | 'model'>): void {
  if (agent !== undefined && agent in Object.prototype) {
    throw new ExecutorError('AGENT_NOT_FOUND', `The engine does not know the agent "${agent}". Name another one.`)
  }
  const [provider = '', ...rest] = model?.split('/') ?? []
  if (provider in Object.prototype || rest.join('/') in Object.prototype) {
    throw new ExecutorError('MODEL_NOT_FOUND', `The engine does not know the model "${model}". Name another one.`)
  }
}
