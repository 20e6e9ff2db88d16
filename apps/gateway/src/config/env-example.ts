import { providerVariables } from './providers.ts'
import type { Variable } from './variable.ts'
import { variables } from './variables.ts'

/** The text of `.env.example`: every variable with its default, commented out. */
export function renderEnvExample(): string {
  const listed = Object.values<Variable<unknown>>(variables).filter(({ unlisted }) => !unlisted)
  const settings = listed.map(
    ({ name, aliases, about, shown }) =>
      `# ${about}${aliases.length === 0 ? '' : `\n# Also read as ${aliases.join(', ')}.`}\n#${name}=${shown}\n`,
  )
  const keys = providerVariables.map((name) => `#${name}=\n`)
  return [
    '# Settings of the gateway with their defaults. Durations are seconds, or have a unit: 500ms, 30s, 5m, 1h, 7d.\n',
    ...settings,
    `# Keys of model providers, handed to the engine. With none the built-in scripted model answers.\n${keys.join('')}`,
  ].join('\n')
}
