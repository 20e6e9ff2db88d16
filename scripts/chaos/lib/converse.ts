import type { ReceivedFrame } from '../facts.ts'
import type { Accepted, Api } from './api.ts'
import { followSession } from './follower.ts'
import type { Conversation, Order } from './orders.ts'

/** A conversation as its client lived through it. */
export interface Talk {
  sessionId: string | undefined
  accepted: readonly AcceptedOrder[]
  received: readonly ReceivedFrame[]
  surprises: readonly string[]
}

export interface AcceptedOrder extends Order {
  runId: string
  /** Milliseconds since the epoch. */
  acceptedAt: number
}

export interface ConverseOptions {
  api: Api
  url: () => string
  signal: AbortSignal
}

/** Gives the orders and follows the session until all of them have ended. Never rejects: what went wrong is in the talk. */
export async function converse({ route, orders }: Conversation, options: ConverseOptions): Promise<Talk> {
  const { api, url, signal } = options
  const accepted: AcceptedOrder[] = []
  const surprises: string[] = []
  const [first, ...followUps] = orders

  async function give(path: string, order: Order, more: object = {}): Promise<Accepted> {
    const answer = await api.post<Accepted>(path, { ...order.body, ...more }, order.marker)
    accepted.push({ ...order, runId: answer.run_id, acceptedAt: Date.now() })
    return answer
  }

  async function begin(): Promise<string> {
    if (route === 'sessions') return (await give('/sessions', first)).session_id
    if (route === 'run') return (await give('/run', first, { on_disconnect: 'continue' })).session_id
    const { session_id } = await api.post<Pick<Accepted, 'session_id'>>('/sessions', {}, `${first.marker}-session`)
    await continueWith(session_id, first)
    return session_id
  }

  async function continueWith(sessionId: string, order: Order): Promise<void> {
    await give(`/sessions/${sessionId}/${'command' in order.body ? 'shell' : 'messages'}`, order)
  }

  let sessionId: string | undefined
  let received: readonly ReceivedFrame[] = []
  try {
    sessionId = await begin()
    const follower = followSession(url, sessionId, signal)
    received = follower.received
    const runIds = (): readonly string[] | undefined =>
      accepted.length < orders.length ? undefined : accepted.map(({ runId }) => runId)
    const following = follower.until(runIds)
    // It ends with the signal when an order cannot be given; that is no news then.
    following.catch(() => {})
    try {
      for (const order of followUps) await continueWith(sessionId, order)
      await following
    } finally {
      surprises.push(...follower.surprises)
    }
  } catch (error) {
    const got = accepted.length === orders.length ? '' : `; ${accepted.length} of ${orders.length} orders were taken`
    surprises.push(`session ${sessionId ?? '(none)'}: ${error instanceof Error ? error.message : String(error)}${got}`)
  }
  return { sessionId, accepted, received, surprises }
}
