import { setTimeout as sleep } from 'node:timers/promises'
import type { ErrorCode, PromptInput } from '@opencode-gateway/contracts'
import {
  faultOf,
  isEnding,
  splitDeltas,
  type Fault,
  type Step,
  type Turn,
} from '@opencode-gateway/scripted-model/parts'
import { hang, type Stage } from './stage.ts'

export interface CallFailure {
  readonly code: ErrorCode
  readonly message: string
}

const MAX_RETRIES = 5
const MAX_COMPACTIONS = 20
const DEFAULT_USAGE = { input: 100, output: 20, reasoning: 0, cached: 0 }
const RETRY_DELAY_MS = 20
const LONG_DELTA_CHARACTERS = 4096

/** Plays one model call, again after faults that may pass; returns why it failed, if it did. */
export async function playCall(turn: Turn, input: PromptInput, stage: Stage): Promise<CallFailure | undefined> {
  let retries = 0
  for (let attempt = 0; ; attempt += 1) {
    const fault = faultOf(turn, attempt)
    const spoken = await playSteps(turn, fault, input, stage)
    if (!fault) {
      endCall(turn, spoken, stage)
      return undefined
    }
    if (isOverflow(fault) && attempt < MAX_COMPACTIONS) {
      // As the engine does: has the conversation summed up, which is a call of its own, and calls again.
      stage.output.endCall(DEFAULT_USAGE)
      continue
    }
    const message = fault.kind === 'error' ? fault.message : 'Connection reset by server'
    const status = fault.kind === 'error' ? fault.status : 503
    const lasting = status < 500 && status !== 429 && status !== 408
    if (lasting || retries === MAX_RETRIES) return { code: codeOf(fault, status), message }
    retries += 1
    await retry(retries, message, fault, stage)
  }
}

/** Plays the steps up to the fault; true when text was added. */
async function playSteps(turn: Turn, fault: Fault | undefined, input: PromptInput, stage: Stage): Promise<boolean> {
  const early = fault?.kind === 'error' || fault?.kind === 'hangbefore'
  let spoken = false
  for (const step of turn) {
    if (step === fault) {
      if (fault.kind === 'hang' || fault.kind === 'hangbefore') await hang(stage.signal)
      return spoken
    }
    if (step.kind === 'gate') await stage.gates.pass(step.name, stage.signal)
    else if (!early) spoken = (await playStep(step, input, stage, spoken)) || spoken
  }
  return spoken
}

/** Not async unless the step waits: a plain answer must cost next to nothing. */
function playStep(step: Step, input: PromptInput, stage: Stage, spoken: boolean): boolean | Promise<boolean> {
  const { output } = stage
  switch (step.kind) {
    case 'say':
      for (const delta of splitDeltas(spoken ? `\n${step.text}` : step.text)) output.write('text', delta)
      return true
    case 'think':
      for (const delta of splitDeltas(step.text)) output.write('reasoning', delta)
      return false
    case 'slow':
      return tick(step.count, step.delayMs, stage, spoken)
    case 'long':
      for (let left = step.bytes; left > 0; left -= LONG_DELTA_CHARACTERS) {
        output.write('text', 'x'.repeat(Math.min(left, LONG_DELTA_CHARACTERS)))
      }
      return step.bytes > 0
    case 'echo':
      output.write('text', echo(step.fields, input))
      return true
    default:
      return false
  }
}

async function tick(count: number, delayMs: number, stage: Stage, spoken: boolean): Promise<boolean> {
  for (let index = 1; index <= count; index += 1) {
    if (stage.instant) await Promise.resolve()
    else await sleep(delayMs, undefined, { signal: stage.signal })
    stage.signal.throwIfAborted()
    stage.output.write('text', `${spoken || index > 1 ? ' ' : ''}tick-${index}`)
  }
  return count > 0
}

function echo(fields: readonly string[], { systemPrompt, model, agent }: PromptInput): string {
  const given: Record<string, unknown> = { system: systemPrompt, model, agent }
  return JSON.stringify(Object.fromEntries(fields.map((field) => [field, given[field] ?? null])))
}

function endCall(turn: Turn, spoken: boolean, { output }: Stage): void {
  const last = turn.at(-1)
  const ending = last && isEnding(last) ? last : undefined
  const calls = ending?.kind === 'tools' || ending?.kind === 'loop' ? ending.calls.length : 0
  if (!spoken && calls === 0) output.write('text', 'done')
  const usage = turn.findLast((step) => step.kind === 'usage')?.usage
  output.endCall(usage ?? DEFAULT_USAGE)
}

async function retry(attempt: number, message: string, fault: Fault, stage: Stage): Promise<void> {
  const withdrawn = stage.output.withdraw()
  const asked = fault.kind === 'error' ? Number(fault.retryAfter ?? 0) * 1000 : 0
  const delayMs = asked || (stage.instant ? 0 : RETRY_DELAY_MS)
  stage.output.push({
    type: 'retry',
    data: {
      attempt,
      message,
      next_at: new Date(Date.now() + delayMs).toISOString(),
      ...(withdrawn.length === 0 ? {} : { withdrawn_parts: withdrawn }),
    },
  })
  if (delayMs > 0) await sleep(delayMs, undefined, { signal: stage.signal })
}

function isOverflow(fault: Fault): boolean {
  return fault.kind === 'error' && fault.code === 'context_length_exceeded'
}

function codeOf(fault: Fault, status: number): ErrorCode {
  if (isOverflow(fault)) return 'CONTEXT_OVERFLOW'
  return status === 401 || status === 403 ? 'MODEL_AUTH' : 'MODEL_ERROR'
}
