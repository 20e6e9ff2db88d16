import type { FieldProblem } from '@opencode-gateway/contracts'

/** Problems as `details` has them: one alone, or a list. */
export function oneOrAll(problems: readonly FieldProblem[]): FieldProblem | readonly FieldProblem[] {
  const [first, ...others] = problems
  return first !== undefined && others.length === 0 ? first : problems
}
