import { join } from 'node:path'
import { nothingSurvives, type CancelledRun } from '../checks/cancelled.ts'
import { endingOf } from '../checks/outcome.ts'
import type { CallFacts } from '../facts.ts'
import type { Accepted, Api } from './api.ts'
import type { CancelKind } from './cancel-kinds.ts'
import { enginesOf } from './engines.ts'
import { processesWith } from './processes.ts'
import type { Scene } from './scene.ts'
import { waitUntil } from './wait-until.ts'

export interface CancelTrial {
  /** From the request to the receipt, milliseconds. */
  receiptMs: number
  sessionId: string
  marker: string
  cancelled: CancelledRun
}

const readyTimeoutMs = 60_000
/** What has ended takes a moment to be seen from outside. */
const noticeMs = 500

/** Brings a run into the state and cancels it there. */
export async function cancelRun(scene: Scene, api: Api, kind: CancelKind, marker: string): Promise<CancelTrial> {
  const { context, site } = scene
  const { signal } = context
  const run = await begin(api, kind, marker)
  const workspace = join(site.workspaceRoot, run.session_id)
  const isReady = await waitUntil(() => isThere(scene, api, kind, marker, run), { withinMs: readyTimeoutMs, signal })
  if (!isReady) {
    const log = (await api.log(run.session_id)).map(({ event, data }) => `${event} ${JSON.stringify(data)}`)
    const calls = JSON.stringify(callsOf(scene, marker))
    throw new Error(`a run was not ${kind.name} after ${readyTimeoutMs} ms; calls: ${calls}; log:\n${log.join('\n')}`)
  }

  const engineHung = kind.engineHangs === true
  if (engineHung) for (const pid of await enginesOf(scene)) process.kill(pid, 'SIGSTOP')
  const startedAt = performance.now()
  const receipt = await api.cancel(run.session_id)
  const receiptMs = performance.now() - startedAt
  const ended = endingOf(await api.log(run.session_id), run.run_id)
  const survivors = async () => ({
    openCalls: openCalls(scene, marker),
    processes: await processesWith(workspace),
  })
  const told = { kind: kind.name, runId: run.run_id, hadWork: kind.hadWork, engineHung, receipt, ended }
  let left = await survivors()
  await waitUntil(
    async () => {
      left = await survivors()
      return nothingSurvives.complaints({ ...told, ...left }).length === 0
    },
    { withinMs: noticeMs, signal },
  )
  return { receiptMs, marker, sessionId: run.session_id, cancelled: { ...told, ...left } }
}

async function begin(api: Api, { script }: CancelKind, marker: string): Promise<Accepted> {
  const body = script(marker)
  if ('prompt' in body) return await api.post<Accepted>('/sessions', body, marker)
  const { session_id } = await api.post<Accepted>('/sessions', {}, `${marker}-session`)
  return await api.post<Accepted>(`/sessions/${session_id}/shell`, body, marker)
}

async function isThere(
  scene: Scene,
  api: Api,
  { until }: CancelKind,
  marker: string,
  { session_id: sessionId }: Accepted,
): Promise<boolean> {
  switch (until) {
    case 'accepted':
      return true
    case 'model called':
      return openCalls(scene, marker).length > 0
    case 'sub-agent called':
      // The call of the agent itself is over: it waits for the tool.
      return openCalls(scene, marker).length > 0 && callsOf(scene, marker).length > 1
    case 'command at work':
      return (await processesWith(join(scene.site.workspaceRoot, sessionId))).length > 1
    case 'retry told':
      return (await api.log(sessionId)).some(({ event }) => event === 'retry')
    case 'asked':
      return (await api.log(sessionId)).some(({ event }) => event === 'ask')
  }
}

export function openCalls(scene: Scene, marker: string): readonly CallFacts[] {
  return callsOf(scene, marker).filter(({ state }) => state === 'open')
}

function callsOf({ model }: Scene, marker: string): readonly CallFacts[] {
  return model.calls().filter(({ prompt }) => prompt.includes(marker))
}
