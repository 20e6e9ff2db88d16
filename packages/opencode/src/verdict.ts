import type { RunOutcome, Usage } from '@opencode-gateway/contracts'
import type { AssistantMessage, EngineFault, StoredMessage } from './engine-model.ts'
import { judgeFault } from './model-fault.ts'
import { optional } from './read.ts'

/** The engine's state, read after a signal that a run may have ended. */
export interface EngineSnapshot {
  /** Messages of the session after our prompt, ascending. */
  messages: readonly StoredMessage[]
  sessionBusy: boolean
  busyChildren: number
  pendingAsks: number
  /** When it was read, milliseconds since the epoch. */
  at: number
}

export interface RunFacts {
  /** When we told the engine to stop, by its clock. */
  cancelledAt: number | undefined
  /** The last error the session reported. */
  fault: EngineFault | undefined
  wantsStructured: boolean
  /** Ids of parts that a broken call of the model wrote. */
  withdrawn: ReadonlySet<string>
  usage: Usage
  /** We had lost sight of the run: the engine may have been another one since. */
  foundAgain: boolean
  /** The engine that worked on it is gone, and did not end it: it did not stop of its own accord. */
  departed: boolean
  /** The engine was given time to write down what is missing, and did not. */
  patienceOver: boolean
}

export type Verdict =
  | { kind: 'running' }
  /** Idle, but the last word is not written down yet. */
  | { kind: 'unsettled'; why: string; begun: boolean }
  | { kind: 'ended'; outcome: RunOutcome }

type Ending = Pick<RunOutcome, 'status' | 'error' | 'structured'>

/** Whether a run has ended and how, from the engine's state alone: idle proves nothing by itself. */
export function judge(snapshot: EngineSnapshot, facts: RunFacts): Verdict {
  if (snapshot.sessionBusy || snapshot.busyChildren > 0) return { kind: 'running' }
  if (snapshot.pendingAsks > 0 && facts.cancelledAt === undefined) return { kind: 'running' }
  const answers = snapshot.messages.filter(isAssistant)
  const last = answers.at(-1)?.message
  const ending = judgeEnding(last, facts)
  if (typeof ending === 'string' && !facts.patienceOver)
    return { kind: 'unsettled', why: ending, begun: last !== undefined }
  const { status, error, structured } = typeof ending === 'string' ? judgeSilence(last, facts, ending) : ending
  return {
    kind: 'ended',
    outcome: {
      status,
      finalMessage: finalMessage(answers, facts.withdrawn),
      ...optional('error', error),
      ...optional('structured', structured),
      usage: facts.usage,
      evidence: {
        ...optional('message_id', last?.id),
        ...optional('finish_reason', last?.finish),
        checks: [
          ...(last?.completedAt === undefined ? [] : ['message_finished']),
          'session_idle',
          ...(snapshot.pendingAsks === 0 ? ['no_pending_ask'] : []),
          'children_idle',
        ],
        checked_at: new Date(snapshot.at).toISOString(),
      },
    },
  }
}

/** How it ended, or why that cannot be said yet. */
function judgeEnding(last: AssistantMessage | undefined, facts: RunFacts): Ending | string {
  if (!last) {
    if (facts.cancelledAt !== undefined) return cancelled()
    return facts.fault ? failed(facts.fault) : 'the prompt has no answer yet'
  }
  if (last.completedAt === undefined) return 'the last message is not finished'
  // A tool call that was aborted may be answered all the same; only what was finished before stands.
  if (facts.cancelledAt !== undefined && !(last.completedAt < facts.cancelledAt && last.finish === 'stop'))
    return cancelled()
  if (last.fault) return failed(last.fault)
  if (last.structured !== undefined) return { status: 'completed', structured: last.structured }
  switch (last.finish) {
    case 'stop':
    case 'length':
      if (facts.wantsStructured) return failed({ name: 'StructuredOutputError', message: 'no structured output came' })
      return { status: 'completed' }
    case 'tool-calls':
      if (facts.departed) return interrupted('ENGINE_LOST', 'the engine was gone before the agent went on')
      return stopped('the agent stopped after a tool call; a request of it was refused')
    case 'content-filter':
      return failed({ name: 'ContentFilterError', message: 'the answer was withheld' })
    case undefined:
      return interrupted('RUN_INTERRUPTED', 'the engine stopped the run')
    default:
      return stopped(`the model ended with "${last.finish}"`)
  }
}

/** The engine is idle and will say no more. */
function judgeSilence(last: AssistantMessage | undefined, facts: RunFacts, why: string): Ending {
  if (facts.cancelledAt !== undefined) return cancelled()
  if (last) return interrupted('ENGINE_LOST', `${why}, and the engine no longer works on it`)
  if (facts.foundAgain) return interrupted('RUN_INTERRUPTED', 'the engine has the prompt and no longer works on it')
  const message = 'the engine accepted the prompt and did not answer it'
  return { status: 'failed', error: { code: 'RUN_FAILED', message, retryable: true } }
}

function failed(fault: EngineFault): Ending {
  const error = judgeFault(fault)
  return { status: error.code === 'RUN_INTERRUPTED' ? 'interrupted' : 'failed', error }
}

function stopped(message: string): Ending {
  return { status: 'failed', error: { code: 'AGENT_STOPPED', message, retryable: true } }
}

function interrupted(code: 'RUN_INTERRUPTED' | 'ENGINE_LOST', message: string): Ending {
  return { status: 'interrupted', error: { code, message, retryable: true } }
}

function cancelled(): Ending {
  const error = { code: 'RUN_CANCELLED', message: 'the run was cancelled', retryable: false } as const
  return { status: 'cancelled', error }
}

function isAssistant(stored: StoredMessage): stored is StoredMessage & { message: AssistantMessage } {
  return stored.message.role === 'assistant' && !stored.message.summary
}

/** All the agent said after the prompt, a blank line between parts. */
function finalMessage(answers: readonly StoredMessage[], withdrawn: ReadonlySet<string>): string {
  const texts = answers.flatMap(({ parts }) =>
    parts.flatMap((part) =>
      part.type === 'text' && !part.synthetic && part.text !== '' && !withdrawn.has(part.id) ? [part.text] : [],
    ),
  )
  return texts.join('\n\n')
}
