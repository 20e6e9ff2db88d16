import { Refusal } from './refusal.ts'

/** Which values each parameter may have. A parameter that is not named is refused. */
export type Allowed = Readonly<Record<string, RegExp>>

/** The parameters of a request, each given once and as it may be. Throws `Refusal`. */
export function readQuery(asked: unknown, allowed: Allowed): Record<string, string> {
  const entries = Object.entries(typeof asked === 'object' && asked !== null ? asked : {})
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const pattern = Object.hasOwn(allowed, name) ? allowed[name] : undefined
      if (pattern === undefined) throw new Refusal(`the parameter "${name}"`)
      if (typeof value !== 'string' || !pattern.test(value)) throw new Refusal(`the value of the parameter "${name}"`)
      return [name, value]
    }),
  )
}

export const FLAG = /^(?:0|1|true|false)?$/
