import { join } from 'node:path'
import { nothingSurvives, receiptIsTrue } from '../checks/cancelled.ts'
import { noOrphans } from '../checks/no-orphans.ts'
import { createApi, type Accepted, type Api } from '../lib/api.ts'
import { cancelKinds, type CancelKind } from '../lib/cancel-kinds.ts'
import { cancelRun, openCalls } from '../lib/cancel-run.ts'
import { durationFigure } from '../lib/figures.ts'
import { lastProcesses } from '../lib/last-processes.ts'
import { processesWith } from '../lib/processes.ts'
import { setScene, type Scene } from '../lib/scene.ts'
import type { Scenario } from '../scenario.ts'

const slots = 3
const receiptTargetMs = 2_000
/** CANCEL_GRACE unless set: the end of an engine that hangs is in it. */
const graceMs = 10_000

export const cancel: Scenario = {
  name: 'cancel',
  describe: `cancels runs in ${cancelKinds.length} states; rounds are cancels of each`,
  async run(context) {
    const scene = await setScene(context, { MAX_CONCURRENT_SESSIONS: String(slots) })
    const { site, ledger } = scene
    await (
      await site.start()
    ).ready
    const api = createApi(site.url, context.signal)
    const figures = []
    for (const kind of cancelKinds) {
      context.say(`cancel: ${kind.name}`)
      const receiptsMs = await cancelMany(scene, api, kind, context.rounds(10))
      figures.push(
        durationFigure(`${kind.name} → receipt`, receiptsMs, kind.engineHangs === true ? graceMs : receiptTargetMs),
      )
    }
    ledger.check(noOrphans, [await lastProcesses(context.directory, [site.gateway().pid])], 'in the end')
    const closed = ledger.close()
    return { figures: [...figures, ...closed.figures], violations: closed.violations }
  },
}

async function cancelMany(scene: Scene, api: Api, kind: CancelKind, count: number): Promise<readonly number[]> {
  const { context, ledger, model, site } = scene
  const name = kind.name.replaceAll(' ', '-')
  model.forget()
  const others = kind.slotsTaken === true ? await takeSlots(api, `${context.seed}-${name}`) : []
  const trials = []
  for (let number = 1; number <= count; number += 1) {
    const trial = await cancelRun(scene, api, kind, `marker-${context.seed}-${name}-${number}-end`)
    ledger.check(receiptIsTrue, [trial.cancelled], 'at the receipt')
    ledger.check(nothingSurvives, [trial.cancelled], 'at the receipt')
    trials.push(trial)
  }
  // Nothing begins anew either.
  for (const { sessionId, marker, cancelled } of trials) {
    const processes = await processesWith(join(site.workspaceRoot, sessionId))
    ledger.check(nothingSurvives, [{ ...cancelled, openCalls: openCalls(scene, marker), processes }], 'later')
  }
  for (const sessionId of [...others, ...trials.map(({ sessionId }) => sessionId)]) await api.remove(sessionId)
  return trials.map(({ receiptMs }) => receiptMs)
}

/** Sessions whose runs do not end by themselves. */
async function takeSlots(api: Api, name: string): Promise<readonly string[]> {
  const sessions: string[] = []
  for (let slot = 1; slot <= slots; slot += 1) {
    const key = `slot-${name}-${slot}`
    sessions.push((await api.post<Accepted>('/sessions', { prompt: `${key}\nhang` }, key)).session_id)
  }
  return sessions
}
