import type { Figure } from './bench.ts'

export interface Row extends Figure {
  bench: string
}

/** A Markdown table whose columns also line up on a terminal; `kind` is the head of its first one. */
export function table(rows: readonly Row[], kind = 'bench'): string {
  const cells = rows.map(({ bench, what, target = '', measured, ok }) => [bench, what, target, measured, mark(ok)])
  const lines = [[kind, 'what', 'target', 'measured', 'ok'], ...cells]
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  const format = (line: readonly string[]): string =>
    `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const [head = [], ...body] = lines
  return [format(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body.map(format)].join('\n')
}

function mark(ok: boolean | undefined): string {
  return ok === undefined ? '' : ok ? 'yes' : 'NO'
}
