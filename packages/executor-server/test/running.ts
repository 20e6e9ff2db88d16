import type { AgentEvent, AgentSession, AskData, PromptInput, RunInput, RunOutcome } from '@opencode-gateway/contracts'
import { silentLog } from './scene.ts'

export interface Followed {
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
  return follow(session, { kind: 'prompt', runId: nextRunId(), prompt: lines.join('\n') })
}

/** The same with options. */
export function promptWith(
  session: AgentSession,
  options: Pick<PromptInput, 'interactive' | 'permissions'>,
  ...lines: readonly string[]
): Followed {
  return follow(session, { ...options, kind: 'prompt', runId: nextRunId(), prompt: lines.join('\n') })
}

export function command(session: AgentSession, text: string): Followed {
  return follow(session, { kind: 'shell', runId: nextRunId(), command: text })
}

function nextRunId(): string {
  count += 1
  return `run-${process.pid}-${count}`
}

function follow(session: AgentSession, input: RunInput): Followed {
  const events: AgentEvent[] = []
  const watchers = new Set<() => void>()
  const signal = AbortSignal.timeout(LIMIT_MS)
  const textOf = (kind: string): string =>
    events.map((event) => (event.type === 'output' && event.data.type === kind ? event.data.text : '')).join('')

  const reading = (async () => {
    for await (const event of session.run(input, { signal, log: silentLog })) {
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
    events,
    outcome: reading,
    untilAsk: (nth = 1) =>
      until(`ask ${nth}`, () => events.flatMap((event) => (event.type === 'ask' ? [event.data] : []))[nth - 1]),
    async untilText(kind, piece) {
      await until(`"${piece}"`, () => (textOf(kind).includes(piece) ? true : undefined))
    },
  }
}
