import type { FileDiff } from '@opencode-gateway/contracts'
import { shownPath } from './entry.ts'

/** What git says of one path, before its patch. */
export interface DiffRow extends Omit<FileDiff, 'patch' | 'truncated'> {
  /** How many patches it has: a file that became a link has one that removes it and one that adds it. */
  patches: number
}

const STATUS: Readonly<Record<string, FileDiff['status']>> = { A: 'added', D: 'deleted', R: 'renamed' }

/** Reads what `diff-tree -z --raw --numstat` writes, as bytes. */
export function parseDiffRows(output: string): readonly DiffRow[] {
  const fields = output.split('\0')
  const rows: Omit<DiffRow, 'binary' | 'additions' | 'deletions'>[] = []
  let at = 0
  const next = (): string => fields[at++] ?? ''
  while (fields[at]?.startsWith(':')) {
    const [, , , , letter = ''] = next().split(' ')
    const status = STATUS[letter.charAt(0)] ?? 'modified'
    const from = status === 'renamed' ? { from: shownPath(next()) } : {}
    rows.push({ path: shownPath(next()), ...from, status, patches: letter === 'T' ? 2 : 1 })
  }
  return rows.map((row) => {
    const [additions = '', deletions = ''] = next().split('\t')
    if (row.status === 'renamed') at += 2
    return { ...row, binary: additions === '-', additions: countOf(additions), deletions: countOf(deletions) }
  })
}

const countOf = (text: string): number => (text === '-' ? 0 : Number(text))
