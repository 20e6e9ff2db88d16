import { readLine } from './lines.ts'
import { isEnding, type Step, type Turn } from './step.ts'

/**
 * Reads a prompt as a script: one turn per model call, cut after every line that ends a call.
 * Returns undefined for a prompt in which no line is a well-formed script line. In a script, a line with a known verb
 * that cannot be read becomes an answer that says so; any other line is ignored.
 */
export function parseScript(prompt: string): readonly Turn[] | undefined {
  const lines = prompt.split('\n').map((line) => readLine(line))
  if (!lines.some((line) => line.kind === 'step')) return undefined
  const turns: Step[][] = [[]]
  for (const line of lines) {
    if (line.kind === 'text') continue
    if (line.kind === 'malformed') {
      turns.at(-1)?.push({ kind: 'say', text: `scripted model: cannot read the line "${line.line}": ${line.reason}` })
      continue
    }
    const before = turns.at(-2)?.at(-1)
    if (line.joined && line.step.kind === 'tools' && before?.kind === 'tools' && turns.at(-1)?.length === 0) {
      turns.at(-2)?.splice(-1, 1, { kind: 'tools', calls: [...before.calls, ...line.step.calls] })
      continue
    }
    turns.at(-1)?.push(line.step)
    if (isEnding(line.step)) turns.push([])
  }
  if (turns.at(-1)?.length === 0) turns.pop()
  return turns
}
