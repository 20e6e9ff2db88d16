/** One reason why a configuration cannot be used. */
export interface ConfigProblem {
  name: string
  /** What was found; never a secret. */
  got: string
  expected: string
  consequence: string
}

/** All problems, as the operator reads them. */
export function describeProblems(problems: readonly ConfigProblem[]): string {
  const lines = problems.map(
    ({ name, got, expected, consequence }) =>
      `  ${name}\n    got:      ${got}\n    expected: ${expected}\n    so:       ${consequence}`,
  )
  return `The configuration cannot be used (${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}):\n${lines.join('\n')}\n`
}
