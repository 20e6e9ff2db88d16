export interface Substitutes {
  /** By name, what stands for `{env:NAME}`; nothing else of our environment may be had. */
  variables: Readonly<Record<string, string>>
  /** What stands for `{file:path}`; throws when it cannot be read. */
  readText(path: string): string
}

/** A text of the engine's configuration with its `{env:NAME}` and `{file:path}` filled in, as the engine would. */
export function substitute(text: string, { variables, readText }: Substitutes): string {
  return text
    .replaceAll(/\{env:([^}]+)\}/g, (_, name: string) => variables[name] ?? '')
    .replaceAll(/\{file:([^}]+)\}/g, (_, path: string) => readText(path).trim())
}
