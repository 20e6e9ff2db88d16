import { GatewayError, wireLimits } from '@opencode-gateway/contracts'

/**
 * Throws INVALID_REQUEST for JSON that is nested deeper than the wire allows. Whatever comes later may walk the value by
 * recursion, as JSON.stringify does; this walk does not.
 */
export function refuseDeepJson(value: unknown, maximum: number = wireLimits.jsonDepth): void {
  let level = isNested(value) ? [value] : []
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth === maximum) {
      throw new GatewayError(
        'INVALID_REQUEST',
        `The body is nested deeper than ${maximum} levels of objects and lists. Send a flatter one.`,
        { details: { field: 'body', reason: `must have at most ${maximum} levels` } },
      )
    }
    const next: object[] = []
    for (const parent of level) {
      for (const child of Array.isArray(parent) ? parent : Object.values(parent)) if (isNested(child)) next.push(child)
    }
    level = next
  }
}

const isNested = (value: unknown): value is object => typeof value === 'object' && value !== null
