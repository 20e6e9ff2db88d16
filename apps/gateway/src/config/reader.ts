import type { ConfigProblem } from './problem.ts'
import type { Variable } from './variable.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface Reader {
  /** The value of a variable; its default when it is not set or cannot be read. */
  read<T>(variable: Variable<T>): T
  /** Whether it is set, under whichever of its names. */
  isSet(variable: Variable<unknown>): boolean
  /** What went wrong so far. */
  readonly problems: ConfigProblem[]
}

export function createReader(env: Environment): Reader {
  const problems: ConfigProblem[] = []
  return {
    problems,
    isSet: (variable) => settings(env, variable).length > 0,
    read(variable) {
      const [first, ...others] = settings(env, variable)
      if (first === undefined) return variable.fallback
      const other = others.find(({ value }) => value !== first.value)
      if (other !== undefined) problems.push(conflict(variable, first, other))
      const parsed = variable.parse(first.value)
      if (parsed.ok) return parsed.value
      const { consequence } = variable
      problems.push({ name: first.name, got: shown(variable, first.value), expected: parsed.expected, consequence })
      return variable.fallback
    },
  }
}

interface Setting {
  name: string
  value: string
}

/** An empty value counts as none: that is what compose files make of `${NAME:-}`. */
function settings(env: Environment, variable: Variable<unknown>): Setting[] {
  return [variable.name, ...variable.aliases].flatMap((name) => {
    const value = env[name]?.trim()
    return value === undefined || value === '' ? [] : [{ name, value }]
  })
}

const conflict = (variable: Variable<unknown>, first: Setting, other: Setting): ConfigProblem => ({
  name: `${first.name}, ${other.name}`,
  got: `${shown(variable, first.value)} and ${shown(variable, other.value)}`,
  expected: 'one of the two: they are names of the same setting',
  consequence: 'it is not clear which one is meant',
})

function shown({ secret }: Variable<unknown>, value: string): string {
  if (secret) return `a secret of ${value.length} characters`
  const clean = value.replace(/\/\/[^/@]*@/, '//***@')
  return JSON.stringify(clean.length > 200 ? `${clean.slice(0, 200)}…` : clean)
}
