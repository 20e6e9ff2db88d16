import { readdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { noWorkspaces } from '../checks/no-workspaces.ts'
import type { SessionFacts } from '../facts.ts'
import type { Ledger } from '../ledger.ts'
import type { Api } from './api.ts'

export interface TidyOptions {
  api: Api
  workspaceRoot: string
  ledger: Ledger
  where: string
  signal: AbortSignal
}

const releaseTimeoutMs = 15_000
const pauseMs = 100

/** Deletes the sessions of a round and checks that nothing of them stays. */
export async function tidy(sessions: readonly SessionFacts[], options: TidyOptions): Promise<void> {
  const { api, workspaceRoot, ledger, where, signal } = options
  for (const { sessionId } of sessions) await api.remove(sessionId)
  // A session of one run is released after its end, in its own time.
  const limit = Date.now() + releaseTimeoutMs
  let left = await names(workspaceRoot)
  while (left.length > 0 && Date.now() < limit) {
    await sleep(pauseMs, undefined, { signal })
    left = await names(workspaceRoot)
  }
  ledger.check(noWorkspaces, [left], where)
}

/** Whatever in the root is not the gateway's own bookkeeping. */
async function names(workspaceRoot: string): Promise<readonly string[]> {
  return (await readdir(workspaceRoot)).filter((name) => !name.startsWith('.'))
}
