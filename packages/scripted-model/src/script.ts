import { readLine } from './lines.ts'

/** One tool call; `argumentsText` goes to the engine as it is, so it may be deliberately bad JSON. */
export interface ToolCall {
  readonly name: string
  readonly argumentsText: string
}

export interface Usage {
  readonly input: number
  readonly output: number
  readonly cached: number
  readonly reasoning: number
}

/** `times`: how many calls of the same turn the fault hits before the turn goes on without it. */
export type Fault =
  | {
      readonly kind: 'error'
      readonly status: number
      readonly code: string
      readonly message: string
      readonly retryAfter: string | undefined
      readonly times: number
    }
  | { readonly kind: 'drop'; readonly times: number }
  | { readonly kind: 'hang'; readonly times: number }
  | { readonly kind: 'hangbefore'; readonly times: number }

/** What ends a turn other than running out of lines. */
export type Ending =
  | { readonly kind: 'tools'; readonly calls: readonly ToolCall[] }
  | { readonly kind: 'finish'; readonly reason: string }
  | { readonly kind: 'nofinish' }
  | { readonly kind: 'loop'; readonly calls: readonly ToolCall[]; readonly reason: string | undefined }

export type Step =
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'think'; readonly text: string }
  | { readonly kind: 'slow'; readonly count: number; readonly delayMs: number }
  | { readonly kind: 'long'; readonly bytes: number }
  | { readonly kind: 'gate'; readonly name: string }
  | { readonly kind: 'echo'; readonly fields: readonly string[] }
  | { readonly kind: 'usage'; readonly usage: Usage }
  | Fault
  | Ending

/** The lines one model call plays. */
export type Turn = readonly Step[]

export function isFault(step: Step): step is Fault {
  return step.kind === 'error' || step.kind === 'drop' || step.kind === 'hang' || step.kind === 'hangbefore'
}

export function isEnding(step: Step): step is Ending {
  return step.kind === 'tools' || step.kind === 'finish' || step.kind === 'nofinish' || step.kind === 'loop'
}

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
