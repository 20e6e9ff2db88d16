import { GatewayError, terminalStates, type EventBody, type RunPatch, type RunState } from '@opencode-gateway/contracts'

const terminal: ReadonlySet<RunState> = new Set(terminalStates)

/** Every run ends with exactly one `complete` event, written together with its final state. Refuses anything else. */
export function assertOneEnding(events: readonly EventBody[], patch: RunPatch | undefined): void {
  const ends = patch?.state !== undefined && terminal.has(patch.state)
  const says = patch?.complete !== undefined || patch?.endedAt !== undefined
  const completes = events.filter((event) => event.type === 'complete').length
  if (ends && (patch.complete === undefined || patch.endedAt === undefined)) {
    throw misuse(`state "${patch.state}" needs "complete" and "endedAt"`)
  }
  if (!ends && says) throw misuse('"complete" and "endedAt" need a terminal state')
  if (completes !== (ends ? 1 : 0) || (ends && events.at(-1)?.type !== 'complete')) {
    throw misuse('a terminal state and one "complete" event, the last of its batch, belong together')
  }
}

/** A limit of a list. SQLite takes a negative one for no limit at all. */
export function bounded(limit: number): number {
  if (!Number.isSafeInteger(limit) || limit < 0) throw misuse(`the limit ${limit} is not a whole number from 0`)
  return limit
}

function misuse(what: string): GatewayError {
  return new GatewayError('INTERNAL', `the store was asked wrongly: ${what}`, { retryable: false })
}
