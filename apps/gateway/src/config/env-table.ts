import { providerVariables } from './providers.ts'
import type { Variable } from './variable.ts'
import { variables } from './variables.ts'

/** The settings as a table in Markdown: every variable with its default, in the order of `.env.example`. */
export function renderEnvTable(): string {
  const listed = Object.values<Variable<unknown>>(variables).filter(({ unlisted }) => !unlisted)
  const settings = listed.map(({ name, aliases, about, shown }) =>
    row([name, ...aliases], shown === '' ? '–' : code(shown), about),
  )
  const keys = row(providerVariables, '–', 'Keys of model providers, handed to the engine.')
  return ['| variable | default | what it sets |', '|---|---|---|', ...settings, keys, ''].join('\n')
}

function row(names: readonly string[], shown: string, about: string): string {
  return `| ${names.map(code).join(', ')} | ${shown} | ${about.replaceAll('|', '\\|')} |`
}

const code = (text: string): string => `\`${text}\``
