/** A way to ask a model, told by the path of the call. */
export type Dialect = 'chat' | 'responses' | 'messages' | 'google'

const paths: readonly (readonly [Dialect, RegExp])[] = [
  ['chat', /\/chat\/completions$/],
  ['responses', /\/responses$/],
  ['messages', /\/messages$/],
  ['google', /\/models\/[\w.@-]+:(?:streamGenerateContent|generateContent)$/],
]

/** Undefined for a path that leads to no model: nothing else of a provider is reached through the proxy. */
export function dialectOf(path: string): Dialect | undefined {
  return paths.find(([, pattern]) => pattern.test(path))?.[0]
}
