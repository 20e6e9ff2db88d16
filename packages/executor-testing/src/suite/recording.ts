import assert from 'node:assert/strict'
import type { AgentEvent, AgentEventBody, RunOutcome } from '@opencode-gateway/contracts'
import type { Deadline } from './deadline.ts'

/** A run that is read in the background, as fast as it yields. */
export interface Recording {
  /** What came so far, the outcome included. */
  readonly items: readonly AgentEvent[]
  /** What came so far without outcomes. */
  events(): readonly AgentEventBody[]
  /** Joined text of one kind so far; withdrawn parts do not count. */
  text(kind: OutputKind): string
  /** Waits for an item; fails when the run ends without it. */
  until(what: string, accept: (item: AgentEvent) => boolean): Promise<void>
  /** Waits until the text of the kind contains the piece. */
  untilText(kind: OutputKind, piece: string): Promise<void>
  /** Waits for the end of the iteration; fails when it threw. */
  ended(): Promise<void>
  /** Waits for the end, and asserts that there was exactly one outcome, the last item. */
  outcome(): Promise<RunOutcome>
  /** Waits for what the iteration throws; fails when it ends in peace. */
  thrown(): Promise<unknown>
}

export type OutputKind = 'text' | 'reasoning' | 'stdout' | 'stderr'

/** `start` is called at once; that it throws, or that the iteration does, is the same. */
export function record(start: () => AsyncIterable<AgentEvent>, deadline: Deadline): Recording {
  const items: AgentEvent[] = []
  const lookers = new Set<() => void>()
  const changed = (): void => {
    for (const look of lookers) look()
  }
  let state: { kind: 'reading' } | { kind: 'ended' } | { kind: 'threw'; error: unknown } = { kind: 'reading' }

  async function read(): Promise<void> {
    try {
      for await (const item of start()) {
        items.push(item)
        changed()
      }
      state = { kind: 'ended' }
    } catch (error) {
      state = { kind: 'threw', error }
    }
    changed()
  }

  async function untilTrue(what: string, check: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const look = (): void => {
      if (check()) resolve(true)
      else if (state.kind !== 'reading') resolve(false)
    }
    lookers.add(look)
    look()
    try {
      const found = await deadline.within(what, promise)
      if (!found) assert.fail(`the run ended without ${what}; it yielded ${summary(items)}${failure()}`)
    } finally {
      lookers.delete(look)
    }
  }

  function failure(): string {
    return state.kind === 'threw' ? `, then threw ${String(state.error)}` : ''
  }

  const events = (): readonly AgentEventBody[] => items.filter((item) => item.type !== 'outcome')
  const text = (kind: OutputKind): string => joinOutput(events(), kind)
  const reading = read()

  async function ended(): Promise<void> {
    await deadline.within(`the end of a run that yielded ${summary(items)}`, reading)
    if (state.kind === 'threw') assert.fail(`the run threw instead of ending with an outcome: ${String(state.error)}`)
  }

  return {
    items,
    events,
    text,
    ended,
    until: (what, accept) => untilTrue(what, () => items.some((item) => accept(item))),
    untilText: (kind, piece) => untilTrue(`${kind} with "${piece}"`, () => text(kind).includes(piece)),
    async outcome() {
      await ended()
      const outcomes = items.filter((item) => item.type === 'outcome')
      assert.equal(outcomes.length, 1, `a run ends with exactly one outcome, got ${summary(items)}`)
      const last = items.at(-1)
      if (last?.type !== 'outcome') assert.fail(`the outcome is the last item, got ${summary(items)}`)
      return last.outcome
    },
    async thrown() {
      await deadline.within(`the run to throw, it yielded ${summary(items)}`, reading)
      if (state.kind !== 'threw') assert.fail(`the run did not throw; it yielded ${summary(items)}`)
      return state.error
    },
  }
}

/** The text of one kind without the parts that a retry withdrew. */
export function joinOutput(events: readonly AgentEventBody[], kind: OutputKind): string {
  const withdrawn = new Set(
    events.flatMap((event) => (event.type === 'retry' ? (event.data.withdrawn_parts ?? []) : [])),
  )
  return events
    .flatMap((event) => (event.type === 'output' && event.data.type === kind ? [event.data] : []))
    .filter((data) => !withdrawn.has(data.part_id))
    .map((data) => data.text)
    .join('')
}

const MAX_SUMMARY = 20

/** The last types of a run's items, for failure texts. */
export function summary(items: readonly AgentEvent[]): string {
  if (items.length === 0) return 'nothing'
  const types = items
    .slice(-MAX_SUMMARY)
    .map((item) => (item.type === 'outcome' ? `outcome(${item.outcome.status})` : item.type))
  return `${items.length > MAX_SUMMARY ? '… ' : ''}${types.join(' ')}`
}
