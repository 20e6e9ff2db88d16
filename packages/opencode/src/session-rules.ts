import type { EngineApi } from './engine-api.ts'
import type { EngineRule } from './permission-policy.ts'

/** The rules the engine has for one session. */
export interface SessionRules {
  /** Makes these the rules of the next run; none stand for the gateway's own. Does nothing when they are. */
  apply(rules: readonly EngineRule[], signal: AbortSignal): Promise<void>
}

export interface SessionRulesOptions {
  api: Pick<EngineApi, 'addRules' | 'clearRules' | 'findSession'>
  sessionId: string
  directory: string
  /** What the gateway allows, complete: its first rule is for everything, so it undoes whatever came before it. */
  gateway: readonly EngineRule[]
  /** The engine's configuration says the same as `gateway`. */
  configured: boolean
  /** What the session has. */
  present: readonly EngineRule[]
}

/** The engine goes through the list for every action. */
const MAX_RULES = 1_000

/**
 * The engine only adds rules to those a session has, and the last that matches counts; so each list is a complete one.
 * But a sub-agent inherits all that was ever refused, whatever came after: then the list is begun anew.
 */
export function createSessionRules(options: SessionRulesOptions): SessionRules {
  const { api, sessionId, directory, gateway, configured } = options
  let present: readonly EngineRule[] | undefined = options.present
  return {
    async apply(rules, signal) {
      present ??= (await api.findSession(sessionId, signal))?.rules ?? []
      const had = present
      if (rules.length === 0 && had.length === 0 && configured) return
      const wanted = rules.length > 0 ? rules : gateway
      const outdated = had.some((rule) => rule.action === 'deny' && !wanted.some((other) => isSame(rule, other)))
      const ending = had.slice(-wanted.length)
      const isLast = ending.length === wanted.length && ending.every((rule, at) => isSame(rule, wanted[at]))
      if (isLast && !outdated) return
      // Not known until the engine has answered.
      present = undefined
      const anew = outdated || had.length + wanted.length > MAX_RULES
      if (anew) await api.clearRules(sessionId, directory, signal)
      await api.addRules(sessionId, wanted, signal)
      present = anew ? wanted : [...had, ...wanted]
    },
  }
}

function isSame(one: EngineRule, other: EngineRule | undefined): boolean {
  return one.permission === other?.permission && one.pattern === other.pattern && one.action === other.action
}
