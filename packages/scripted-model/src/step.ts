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
