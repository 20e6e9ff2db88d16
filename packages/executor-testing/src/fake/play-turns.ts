import type { ErrorCode, PromptInput } from '@opencode-gateway/contracts'
import { isEnding, parseScript, type ToolCall, type Turn } from '@opencode-gateway/scripted-model/parts'
import { playCall } from './play-call.ts'
import { playTools, type ToolEnding } from './play-tools.ts'
import type { Stage } from './stage.ts'

export interface TurnsOptions {
  readonly input: PromptInput
  readonly maxModelCalls: number
  nextCallId(): string
  playTask(prompt: string): Promise<ToolEnding>
}

export type TurnsEnding =
  | { readonly kind: 'answered'; readonly finishReason: string; readonly structured?: unknown }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string; readonly finishReason?: string }

/** What ends an answer. After any other reason the engine calls the model again. */
const LAST_WORDS = new Set(['stop', 'length', 'content_filter'])

/** Plays one scripted turn per model call, until a turn ends the answer. */
export async function playTurns(prompt: string, stage: Stage, options: TurnsOptions): Promise<TurnsEnding> {
  const { input, maxModelCalls } = options
  let script = readScript(prompt)
  let first = 0
  for (let call = 0; call < maxModelCalls; call += 1) {
    // Lets the reader in, so that an endless script can be stopped.
    if (call > 0) await Promise.resolve()
    stage.signal.throwIfAborted()
    const said = stage.steers.splice(0).at(-1)
    if (said !== undefined) {
      script = readScript(said)
      first = call
    }
    const turn = turnAt(script, call - first)
    const failure = await playCall(turn, input, stage)
    if (failure) return { kind: 'failed', ...failure }
    const last = turn.at(-1)
    const ending = last && isEnding(last) ? last : undefined
    if (ending?.kind === 'tools' || ending?.kind === 'loop') {
      const structured = input.outputSchema && ending.kind === 'tools' ? readAnswer(ending.calls) : undefined
      if (structured !== undefined) return { kind: 'answered', finishReason: 'stop', structured }
      const went = await playTools(ending.calls, stage, options)
      if (went === 'stopped') return stopped
      continue
    }
    if (ending?.kind === 'nofinish') continue
    const finishReason = ending?.reason ?? 'stop'
    // Who was told something while it spoke has the last word still to say.
    if (LAST_WORDS.has(finishReason) && stage.steers.length === 0) return { kind: 'answered', finishReason }
  }
  return { kind: 'failed', code: 'MODEL_LOOP', message: `The model was called ${maxModelCalls} times without an end.` }
}

const stopped: TurnsEnding = {
  kind: 'failed',
  code: 'AGENT_STOPPED',
  message: 'The agent stopped, since what it asked for was refused.',
  finishReason: 'tool-calls',
}

function readScript(prompt: string): readonly Turn[] {
  return parseScript(prompt) ?? [[{ kind: 'say', text: `You said: "${prompt.slice(0, 200)}"` }]]
}

function turnAt(script: readonly Turn[], call: number): Turn {
  const looping = script.findIndex((turn) => turn.at(-1)?.kind === 'loop')
  return script[looping >= 0 ? Math.min(call, looping) : call] ?? []
}

/** The engine gives the model a tool by which it answers a schema. */
function readAnswer(calls: readonly ToolCall[]): unknown {
  const answer = calls.find((call) => call.name === 'StructuredOutput')
  return answer && (JSON.parse(answer.argumentsText) as unknown)
}
