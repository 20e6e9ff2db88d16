import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { CallFacts, OrderFacts, SessionFacts } from '../facts.ts'
import type { Api } from './api.ts'
import type { AcceptedOrder, Talk } from './converse.ts'

export interface GatherOptions {
  api: Api
  calls: readonly CallFacts[]
  workspaceRoot: string
}

/** Everything there is to know about the conversations that got as far as a session. */
export async function gather(talks: readonly Talk[], options: GatherOptions): Promise<readonly SessionFacts[]> {
  const sessions: SessionFacts[] = []
  for (const { sessionId, accepted, received } of talks) {
    if (sessionId === undefined) continue
    const orders: OrderFacts[] = []
    for (const order of accepted) orders.push(await orderFacts(order, sessionId, options))
    const { runs } = await options.api.session(sessionId)
    sessions.push({ sessionId, orders, log: await options.api.log(sessionId), runs, received })
  }
  return sessions
}

async function orderFacts(order: AcceptedOrder, sessionId: string, options: GatherOptions): Promise<OrderFacts> {
  const { marker, kind, runId, lastTurn, ending, effectFile } = order
  const calls = options.calls.filter(({ prompt }) => prompt.includes(marker))
  const workspace = join(options.workspaceRoot, sessionId)
  const effects = effectFile === undefined ? undefined : await countLines(workspace, effectFile)
  return { marker, kind, sessionId, runId, lastTurn, ending, calls, effects }
}

/** Undefined when the workspace is gone: then nobody knows. */
async function countLines(workspace: string, file: string): Promise<number | undefined> {
  const isThere = await stat(workspace).then(
    () => true,
    () => false,
  )
  if (!isThere) return undefined
  const text = await readFile(join(workspace, file), 'utf8').catch(() => '')
  return text.split('\n').filter((line) => line !== '').length
}
