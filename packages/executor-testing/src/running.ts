import type {
  AgentEvent,
  AgentSession,
  AskData,
  CallContext,
  PromptInput,
  RunInput,
  RunOutcome,
} from '@opencode-gateway/contracts'
import { silentLog } from './silent-log.ts'

export interface Followed {
  readonly input: RunInput
  /** Aborts when the run takes too long. */
  readonly signal: AbortSignal
  readonly events: readonly AgentEvent[]
  /** Waits until the joined text of one kind contains the piece. */
  untilText(kind: 'text' | 'stdout' | 'stderr', piece: string): Promise<void>
  /** Waits until the run asks for the nth time. */
  untilAsk(nth?: number): Promise<AskData>
  readonly outcome: Promise<RunOutcome>
}

const LIMIT_MS = 60_000
let count = 0

export function prompt(session: AgentSession, ...lines: readonly string[]): Followed {
  return start(session, { kind: 'prompt', runId: nextRunId(), prompt: lines.join('\n') })
}

/** The same with options. */
export function promptWith(
  session: AgentSession,
  options: Pick<PromptInput, 'agent' | 'interactive' | 'model' | 'permissions'>,
  ...lines: readonly string[]
): Followed {
  return start(session, { ...options, kind: 'prompt', runId: nextRunId(), prompt: lines.join('\n') })
}

export function command(session: AgentSession, text: string): Followed {
  return start(session, { kind: 'shell', runId: nextRunId(), command: text })
}

/** Goes on with a run, from what was told of it. */
export function resume(session: AgentSession, { input, events }: Followed): Followed {
  const told = events.flatMap((event) => (event.type === 'outcome' ? [] : [event]))
  return follow(input, (ctx) => session.resume({ input, events: told }, ctx))
}

function start(session: AgentSession, input: RunInput): Followed {
  return follow(input, (ctx) => session.run(input, ctx))
}

function nextRunId(): string {
  count += 1
  return `run-${process.pid}-${count}`
}

function follow(input: RunInput, begin: (ctx: CallContext) => AsyncIterable<AgentEvent>): Followed {
  const signal = AbortSignal.timeout(LIMIT_MS)
  const events: AgentEvent[] = []
  const watchers = new Set<() => void>()
  const textOf = (kind: string): string =>
    events.map((event) => (event.type === 'output' && event.data.type === kind ? event.data.text : '')).join('')

  const reading = (async () => {
    for await (const event of begin({ signal, log: silentLog })) {
      events.push(event)
      for (const look of watchers) look()
    }
    const last = events.at(-1)
    if (last?.type !== 'outcome') throw new Error('the run ended without an outcome')
    return last.outcome
  })()

  const until = async <T>(what: string, find: () => T | undefined): Promise<T> => {
    const { promise, resolve } = Promise.withResolvers<T>()
    const look = (): void => {
      const found = find()
      if (found !== undefined) resolve(found)
    }
    watchers.add(look)
    look()
    const ended = reading.then(() => {
      const found = find()
      if (found === undefined) throw new Error(`the run ended without ${what}`)
      return found
    })
    try {
      return await Promise.race([promise, ended])
    } finally {
      watchers.delete(look)
    }
  }

  return {
    input,
    signal,
    events,
    outcome: reading,
    untilAsk: (nth = 1) =>
      until(`ask ${nth}`, () => events.flatMap((event) => (event.type === 'ask' ? [event.data] : []))[nth - 1]),
    async untilText(kind, piece) {
      await until(`"${piece}"`, () => (textOf(kind).includes(piece) ? true : undefined))
    },
  }
}
