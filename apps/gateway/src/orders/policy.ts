import {
  completeRules,
  permissionActions,
  permissionFor,
  type FieldProblem,
  type PermissionAction,
  type PermissionRules,
} from '@opencode-gateway/contracts'

export interface PolicyInput {
  /** What a request asks for. */
  rules: PermissionRules
  /** What the gateway allows at most. */
  policy: PermissionRules
  /** Somebody answers questions: that they are denied is for runs without anybody. */
  interactive: boolean
}

const widthOf = (action: PermissionAction): number => permissionActions.length - permissionActions.indexOf(action)

/**
 * The rules of a request that are plainly wider than the gateway's rule for the same permission and pattern. A pattern
 * that covers more than the gateway's is no offence: the executor takes the narrower of the two for every action.
 */
export function tooWide({ rules, policy, interactive }: PolicyInput): FieldProblem[] {
  return entriesOf(rules).flatMap(({ field, permission, pattern, action }) => {
    if (interactive && permission === 'question') return []
    const allowed = permissionFor(completeRules(policy), permission, pattern) ?? 'allow'
    if (widthOf(action) <= widthOf(allowed)) return []
    return [{ field, reason: `"${action}" is wider than the gateway's "${allowed}"` }]
  })
}

interface Rule {
  /** Where the rule stands in the request. */
  field: string
  permission: string
  pattern: string
  action: PermissionAction
}

function entriesOf(rules: PermissionRules): Rule[] {
  if (typeof rules === 'string') return [{ field: 'permissions', permission: '*', pattern: '*', action: rules }]
  return Object.entries(rules).flatMap(([permission, rule]) => {
    const field = `permissions.${permission}`
    if (typeof rule === 'string') return [{ field, permission, pattern: '*', action: rule }]
    return Object.entries(rule).map(([pattern, action]) => ({
      field: `${field}.${pattern}`,
      permission,
      pattern,
      action,
    }))
  })
}
