import { Type, type Static } from 'typebox'

/** What becomes of an action of the agent, from the widest to the narrowest. */
export const permissionActions = ['allow', 'ask', 'deny'] as const
export type PermissionAction = (typeof permissionActions)[number]

const Action = Type.Enum([...permissionActions])
const Name = Type.String({ pattern: '^[A-Za-z0-9_.*-]{1,64}$' })
const Pattern = Type.String({ minLength: 1, maxLength: 1_000 })

/** Rules in OpenCode's own form: an action, or per permission an action, or per permission and pattern one. */
export const PermissionRules = Type.Union(
  [
    Action,
    Type.Record(
      Name,
      Type.Union([Action, Type.Record(Pattern, Action, { maxProperties: 200, additionalProperties: false })]),
      { maxProperties: 100, additionalProperties: false },
    ),
  ],
  {
    $id: 'PermissionRules',
    description:
      'Rules in the form of OpenCode; of several that match the last one counts. They narrow what the gateway allows and never widen it.',
    examples: [{ bash: { '*': 'ask', 'npm test*': 'allow' }, edit: 'deny' }],
  },
)
export type PermissionRules = Static<typeof PermissionRules>

/** What would ask a person, and nobody is there to answer. */
const withoutPerson = { question: 'deny', external_directory: 'deny' } as const satisfies PermissionRules

/** Rules under which nothing hangs without a person: everything is allowed but what would ask, leave the workspace or publish. */
export const unattended: PermissionRules = {
  '*': 'allow',
  ...withoutPerson,
  bash: { '*': 'allow', 'git push*': 'deny' },
}

/** Rules that say something of every action: what they do not mention is allowed, but for what would ask or leave the workspace. */
export function completeRules(rules: PermissionRules): Exclude<PermissionRules, string> {
  return typeof rules === 'string' ? { '*': rules, ...withoutPerson } : { '*': 'allow', ...withoutPerson, ...rules }
}

/**
 * What the rules say of one action: the last of those that match counts, undefined when none does. A bare action is a
 * rule for everything. `value` is what the permission is about: a command, a path.
 */
export function permissionFor(rules: PermissionRules, permission: string, value: string): PermissionAction | undefined {
  if (typeof rules === 'string') return rules
  return Object.entries(rules)
    .filter(([name]) => matchesWildcard(name, permission))
    .flatMap(([, rule]) => Object.entries(typeof rule === 'string' ? { '*': rule } : rule))
    .findLast(([pattern]) => matchesWildcard(pattern, value))?.[1]
}

/**
 * The engine's wildcards: `*` is any text, `?` any one character, a backslash a slash; `ls *` matches `ls` alone too.
 * Not by a regular expression, since rules come from clients and one with many stars would take for ever.
 */
function matchesWildcard(pattern: string, text: string): boolean {
  const [wanted, given] = [pattern.replaceAll('\\', '/'), text.replaceAll('\\', '/')]
  return fits(wanted, given) || (wanted.endsWith(' *') && fits(wanted.slice(0, -2), given))
}

function fits(pattern: string, text: string): boolean {
  let at = 0
  let position = 0
  // The latest star, and how much of the text it has taken: when what follows does not fit, it takes one more.
  let star = -1
  let taken = 0
  while (position < text.length) {
    if (pattern[at] === '*') {
      star = at
      taken = position
      at += 1
    } else if (pattern[at] === '?' || pattern[at] === text[position]) {
      at += 1
      position += 1
    } else if (star >= 0) {
      taken += 1
      at = star + 1
      position = taken
    } else return false
  }
  return /^\**$/.test(pattern.slice(at))
}
