import type { Parser } from './parsers.ts'

/** One environment variable: how it is read, and what `.env.example` and error messages say of it. */
export interface Variable<T> {
  name: string
  /** Older names that are read as well. */
  aliases: readonly string[]
  parse: Parser<T>
  fallback: T
  /** How the default is written down; empty when there is none. */
  shown: string
  about: string
  /** What happens, or would happen, with a wrong value. */
  consequence: string
  /** Its value is never repeated. */
  secret: boolean
  /** Nothing an operator sets: `.env.example` and the table of the README leave it out. */
  unlisted: boolean
}

type Extras = Partial<Pick<Variable<unknown>, 'aliases' | 'consequence' | 'secret' | 'unlisted'>>

/** A variable with a default. */
export function variable<T>(
  name: string,
  parse: Parser<T>,
  shown: string,
  about: string,
  extras: Extras = {},
): Variable<T> {
  const parsed = parse(shown)
  if (!parsed.ok) throw new Error(`the default of ${name} is not ${parsed.expected}`)
  return { ...basics(extras), name, parse, fallback: parsed.value, shown, about }
}

/**
 * A variable whose default is JSON: it is given as the value itself, which its type checks, and not parsed at every
 * start.
 */
export function jsonVariable<T>(name: string, parse: Parser<T>, fallback: T, about: string): Variable<T> {
  return { ...basics({}), name, parse, fallback, shown: JSON.stringify(fallback), about }
}

/** A variable that may be absent. */
export function optional<T>(
  name: string,
  parse: Parser<T>,
  about: string,
  extras: Extras = {},
): Variable<T | undefined> {
  return { ...basics(extras), name, parse, fallback: undefined, shown: '', about }
}

const basics = ({
  aliases = [],
  consequence = 'the gateway does not start',
  secret = false,
  unlisted = false,
}: Extras) => ({
  aliases,
  consequence,
  secret,
  unlisted,
})
