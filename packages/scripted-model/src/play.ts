import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Sink } from './sinks.ts'
import type { Fault, Step, ToolCall, Turn, Usage } from './step.ts'
import { isEnding } from './step.ts'
import { splitDeltas } from './text.ts'

export interface Play {
  readonly turn: Turn
  /** The fault that hits this call. */
  readonly fault: Fault | undefined
  readonly sink: Sink
  /** Aborts when the client leaves or the server closes. */
  readonly signal: AbortSignal
  passGate(name: string): Promise<void>
  echo(fields: readonly string[]): string
}

const DEFAULT_USAGE: Usage = { input: 100, output: 20, cached: 0, reasoning: 0 }
const LONG_CHUNK_BYTES = 4096

/** Plays one turn into the sink; rejects when the signal aborts. Resolves with how the call ended. */
export async function play(options: Play): Promise<'answered' | 'failed'> {
  const { turn, fault, sink, signal } = options
  if (fault?.kind === 'error' || fault?.kind === 'hangbefore') return await failBeforeAnswer(options, fault)
  let usage = DEFAULT_USAGE
  let spoken = false
  for (const step of turn) {
    if (step.kind === 'usage') usage = step.usage
    else if (step === fault) {
      await sink.begin()
      if (step.kind === 'hang') await forever(signal)
      await sink.drop()
      return 'failed'
    } else spoken = (await playStep(step, options, spoken)) || spoken
  }
  const last = turn.at(-1)
  const ending = last && isEnding(last) ? last : undefined
  const calls = ending?.kind === 'tools' || ending?.kind === 'loop' ? ending.calls : []
  if (!spoken && calls.length === 0) await sink.send({ content: 'done' })
  await sendCalls(calls, sink)
  await sink.finish(finishReason(ending), usage)
  return 'answered'
}

function finishReason(ending: Step | undefined): string | undefined {
  if (ending?.kind === 'tools') return 'tool_calls'
  if (ending?.kind === 'finish' || ending?.kind === 'loop') return ending.reason
  return ending?.kind === 'nofinish' ? undefined : 'stop'
}

/** Plays a step that only adds to the answer; true when it added text. */
async function playStep(step: Step, { sink, signal, passGate, echo }: Play, spoken: boolean): Promise<boolean> {
  switch (step.kind) {
    case 'say': {
      const text = spoken ? `\n${step.text}` : step.text
      for (const content of splitDeltas(text)) await sink.send({ content })
      return true
    }
    case 'think':
      for (const part of splitDeltas(step.text)) await sink.send({ reasoning_content: part })
      return false
    case 'slow':
      for (let index = 1; index <= step.count; index += 1) {
        await sink.begin()
        await sleep(step.delayMs, undefined, { signal })
        await sink.send({ content: `${spoken || index > 1 ? ' ' : ''}tick-${index}` })
      }
      return step.count > 0
    case 'long':
      for (let left = step.bytes; left > 0; left -= LONG_CHUNK_BYTES) {
        await sink.send({ content: 'x'.repeat(Math.min(left, LONG_CHUNK_BYTES)) })
        signal.throwIfAborted()
      }
      return step.bytes > 0
    case 'gate':
      await sink.begin()
      await passGate(step.name)
      return false
    case 'echo':
      await sink.send({ content: echo(step.fields) })
      return true
    default:
      return false
  }
}

async function sendCalls(calls: readonly ToolCall[], sink: Sink): Promise<void> {
  for (const [index, { name, argumentsText }] of calls.entries()) {
    const id = `call_${randomUUID().replaceAll('-', '')}`
    await sink.send({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] })
    await sink.send({ tool_calls: [{ index, function: { arguments: argumentsText } }] })
  }
}

async function failBeforeAnswer({ turn, sink, signal, passGate }: Play, fault: Fault): Promise<'failed'> {
  for (const step of turn.slice(0, turn.indexOf(fault))) {
    if (step.kind === 'gate') await passGate(step.name)
  }
  if (fault.kind === 'error') sink.fail(fault)
  else await forever(signal)
  return 'failed'
}

async function forever(signal: AbortSignal): Promise<void> {
  for (;;) await sleep(3_600_000, undefined, { signal })
}
