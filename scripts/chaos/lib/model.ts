import { createScriptedModel } from '@opencode-gateway/scripted-model'
import type { CallFacts } from '../facts.ts'
import type { ChaosContext } from '../scenario.ts'

/** The model everything ends up at. It lives here, so that it sees what no crash can hide. */
export interface Model {
  readonly url: string
  /** The calls with a prompt of ours since the last `forget`, oldest first. */
  calls(): readonly CallFacts[]
  /** Leaves out what came until now. */
  forget(): void
}

/** More than one round makes. Every call is kept whole, with its 50 kB of tools and prompts. */
const maxRecorded = 2_000

export async function startModel({ after }: Pick<ChaosContext, 'after'>): Promise<Model> {
  const model = createScriptedModel({ maxRecorded })
  const url = await model.listen()
  after(() => model.close())
  let since = 0
  return {
    url,
    calls() {
      const [oldest] = model.requests
      if (model.requests.length === maxRecorded && oldest && oldest.at >= since) {
        throw new Error(`the model was called more than ${maxRecorded} times; what it remembers is not the whole`)
      }
      return model.requests
        .filter(({ at, kind }) => at >= since && kind === 'turn')
        .map(({ prompt, turn, state, at }) => ({ prompt, turn, state, at }))
    },
    forget() {
      since = Date.now() + 1
    },
  }
}

/** The engine's configuration with this model alone. */
export function modelConfig(url: string): string {
  return JSON.stringify({
    model: 'script/script-1',
    small_model: 'script/script-1',
    provider: {
      script: {
        npm: '@ai-sdk/openai-compatible',
        options: { baseURL: url, apiKey: 'none' },
        models: { 'script-1': { tool_call: true, limit: { context: 200_000, output: 8_192 } } },
      },
    },
  })
}
