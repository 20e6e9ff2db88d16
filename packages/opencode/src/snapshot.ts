import type { EngineApi } from './engine-api.ts'
import type { EngineAsk, EngineEvent, StoredMessage } from './engine-model.ts'
import { listMessagesAfter } from './message-pages.ts'
import type { RunView } from './run-view.ts'
import type { EngineSnapshot } from './verdict.ts'

const MAX_CHILDREN = 1000

/** Sub-agents' sessions below a session, at any depth. */
export async function listChildren(api: EngineApi, sessionId: string, signal: AbortSignal): Promise<readonly string[]> {
  const found = new Set<string>()
  const open = [sessionId]
  for (let next = open.pop(); next !== undefined && found.size < MAX_CHILDREN; next = open.pop()) {
    for (const child of await api.children(next, signal)) {
      if (found.has(child) || child === sessionId) continue
      found.add(child)
      open.push(child)
    }
  }
  return [...found]
}

interface Snapshot extends EngineSnapshot {
  children: readonly string[]
  asks: readonly EngineAsk[]
}

/**
 * Reads whether the session works, and, when it does not or when `whole` is asked for, all that was written after the
 * prompt. The status is read first: an idle session stays idle, since nobody prompts it but us. Where the engine has
 * said that it is idle (`toldIdle`), all is read at once.
 */
export async function readSnapshot(
  api: EngineApi,
  view: RunView,
  { whole, toldIdle }: { whole: boolean; toldIdle: boolean },
  signal: AbortSignal,
): Promise<Snapshot> {
  if (toldIdle && !whole && view.calls.size === 0) {
    const short = await readWithoutCalls(api, view, signal)
    if (short) return short
  }
  const early = toldIdle ? listOwnMessages(api, view, signal) : undefined
  // Whether it is needed is known later; a failure of it is told then.
  early?.catch(() => undefined)
  const [busy, asks, children] = await Promise.all([
    api.busy(view.directory, signal),
    api.asks(view.directory, signal),
    listChildren(api, view.sessionId, signal),
  ])
  const ours = new Set([view.sessionId, ...view.children, ...children])
  const pending = asks.filter(({ sessionId }) => ours.has(sessionId))
  const sessionBusy = busy.has(view.sessionId)
  const busyChildren = [...busy.keys()].filter((id) => id !== view.sessionId && ours.has(id)).length
  const reading = whole || !(sessionBusy || busyChildren > 0)
  return {
    messages: reading ? await (early ?? listOwnMessages(api, view, signal)) : [],
    sessionBusy,
    busyChildren,
    pendingAsks: pending.length,
    at: Date.now(),
    children,
    asks: pending,
  }
}

/** What an engine that is gone has written down: nothing works on it, and nothing waits for an answer. */
export async function readRemains(api: EngineApi, view: RunView, signal: AbortSignal): Promise<Snapshot> {
  const [messages, children] = await Promise.all([
    listOwnMessages(api, view, signal),
    listChildren(api, view.sessionId, signal),
  ])
  return { messages, children, sessionBusy: false, busyChildren: 0, pendingAsks: 0, asks: [], at: Date.now() }
}

/**
 * The state of a session that is idle and has called no tool: then nothing has asked and there is no sub-agent, and
 * what need not be read is not. Undefined where it is otherwise.
 */
async function readWithoutCalls(api: EngineApi, view: RunView, signal: AbortSignal): Promise<Snapshot | undefined> {
  const [busy, messages] = await Promise.all([api.busy(view.directory, signal), listOwnMessages(api, view, signal)])
  const called = messages.some(({ parts }) => parts.some(({ type }) => type === 'tool'))
  if (called || busy.size > 0 || view.children.size > 0) return undefined
  const state = { sessionBusy: false, busyChildren: 0, pendingAsks: 0, children: [], asks: [] }
  return { ...state, messages, at: Date.now() }
}

function listOwnMessages(api: EngineApi, view: RunView, signal: AbortSignal): Promise<readonly StoredMessage[]> {
  return listMessagesAfter(api, { sessionId: view.sessionId, messageId: view.userMessageId }, signal)
}

/**
 * What was written after the prompt, as events for `reduce` with source `stored`: sub-agents' first. Not by the engine's
 * `/sync/history`, which also tells all that ever happened in every session that it is not asked about.
 */
export async function readHistory(
  api: EngineApi,
  view: RunView,
  { messages, children }: { messages: readonly StoredMessage[]; children: readonly string[] },
  signal: AbortSignal,
): Promise<readonly EngineEvent[]> {
  const events: EngineEvent[] = []
  for (const sessionId of children) {
    events.push({ type: 'session', sessionId, parentId: view.sessionId })
    const stored = await listMessagesAfter(api, { sessionId, messageId: view.userMessageId }, signal)
    events.push(...stored.flatMap(asEvents))
  }
  return [...events, ...messages.flatMap(asEvents)]
}

function asEvents({ message, parts }: StoredMessage): readonly EngineEvent[] {
  const { sessionId } = message
  return [
    { type: 'message', sessionId, message },
    ...parts.map((part): EngineEvent => ({ type: 'part', sessionId, part })),
  ]
}
