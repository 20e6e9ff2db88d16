import { completeRules, permissionActions, permissionFor } from '@opencode-gateway/contracts'
import type { PermissionAction, PermissionRules } from '@opencode-gateway/contracts'
import { fieldsOf, listOf, textOf } from './read.ts'

/** A rule as the engine's sessions take it; of several that match the last one counts. */
export interface EngineRule {
  permission: string
  pattern: string
  action: PermissionAction
}

export interface PolicyOptions {
  /** What the gateway allows. */
  gateway: PermissionRules
  /** What the request narrows it to. */
  request: PermissionRules | undefined
  /** Somebody is there to answer. */
  interactive: boolean
}

export interface Policy {
  /** For the session; none when the engine's own configuration says the same. */
  rules: readonly EngineRule[]
  /** What becomes of an ask of the engine. `ask` is passed on, the others are answered at once. */
  decide(permission: string, patterns: readonly string[]): PermissionAction
}

/** The rules for an engine's configuration, where nobody can be asked: sub-agents live by these alone. */
export function withoutAsking(rules: PermissionRules): PermissionRules {
  const settle = (action: PermissionAction): PermissionAction => (action === 'ask' ? 'deny' : action)
  if (typeof rules === 'string') return settle(rules)
  return Object.fromEntries(
    Object.entries(rules).map(([permission, rule]) => [
      permission,
      typeof rule === 'string'
        ? settle(rule)
        : Object.fromEntries(Object.entries(rule).map(([pattern, action]) => [pattern, settle(action)])),
    ]),
  )
}

/**
 * What a session may do: for every action the narrower of what the gateway and the request say. The engine evaluates
 * one list of rules, in which the narrower of two cannot be said; so where the request could widen something, the
 * engine is told to ask, and the answer is given here at once.
 */
export function createPolicy({ gateway, request, interactive }: PolicyOptions): Policy {
  const base = completeRules(gateway)
  const gatewayRules = flatten(base)
  const requestRules = flatten(request ?? {})
  if (requestRules.length === 0 && !interactive) return { rules: [], decide: () => 'deny' }
  const widens = requestRules.some(({ action }) => action !== 'deny')
  const guarded = widens ? gatewayRules.filter(({ action }) => action !== 'allow') : []
  const asks = requestRules.some(({ action }) => action === 'ask')

  function decide(permission: string, patterns: readonly string[]): PermissionAction {
    const values = patterns.length > 0 ? patterns : ['*']
    const actions = values.map((value) =>
      narrower(
        permissionFor(base, permission, value) ?? 'allow',
        permissionFor(request ?? {}, permission, value) ?? 'allow',
      ),
    )
    const action = actions.reduce(narrower, 'allow')
    return action === 'ask' && !interactive ? 'deny' : action
  }

  return {
    rules: [
      ...gatewayRules,
      ...requestRules,
      ...guarded.map((rule) => ({ ...rule, action: 'ask' as const })),
      // Questions are for whoever is there; a request can still refuse them.
      ...(interactive && permissionFor(request ?? {}, 'question', '*') !== 'deny' ? [rule('question', 'allow')] : []),
      // A sub-agent does not inherit what its parent must ask for, so it would do that unasked.
      ...(asks ? [rule('task', 'deny')] : []),
    ],
    decide,
  }
}

/** Reads the rules a session of the engine says it has. */
export function readRules(value: unknown): readonly EngineRule[] {
  return listOf(value).flatMap((entry) => {
    const fields = fieldsOf(entry)
    const [permission, pattern] = [textOf(fields?.['permission']), textOf(fields?.['pattern'])]
    const action = permissionActions.find((known) => known === fields?.['action'])
    return permission === undefined || pattern === undefined || !action ? [] : [{ permission, pattern, action }]
  })
}

/** The gateway's rules as a session takes them, where nobody can be asked. */
export function gatewayRules(gateway: PermissionRules): readonly EngineRule[] {
  return flatten(withoutAsking(completeRules(gateway)))
}

function rule(permission: string, action: PermissionAction): EngineRule {
  return { permission, pattern: '*', action }
}

function flatten(rules: PermissionRules): EngineRule[] {
  if (typeof rules === 'string') return [rule('*', rules)]
  return Object.entries(rules).flatMap(([permission, given]) =>
    Object.entries(typeof given === 'string' ? { '*': given } : given).map(([pattern, action]) => ({
      permission,
      pattern,
      action,
    })),
  )
}

function narrower(a: PermissionAction, b: PermissionAction): PermissionAction {
  return permissionActions.indexOf(a) > permissionActions.indexOf(b) ? a : b
}
