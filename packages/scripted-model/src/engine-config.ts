const model = {
  tool_call: true,
  reasoning: true,
  temperature: true,
  limit: { context: 200_000, output: 8192 },
  cost: { input: 1, output: 2 },
}

/**
 * Configuration of an engine that reaches a scripted model, as provider `script`, by these options. It has two models,
 * so that a request has a choice: `script/scripted`, which is the default, and `script/other`.
 */
export function scriptedEngineConfig(
  options: Readonly<Record<string, unknown>> & { baseURL: string },
): Record<string, unknown> {
  return {
    model: 'script/scripted',
    small_model: 'script/scripted',
    provider: {
      script: {
        npm: '@ai-sdk/openai-compatible',
        options,
        models: { scripted: model, other: model },
      },
    },
  }
}
