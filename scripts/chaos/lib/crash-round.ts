import { setTimeout as sleep } from 'node:timers/promises'
import type { CrashPoint } from '@opencode-gateway/sessions'
import { examineAftermath } from './aftermath.ts'
import type { Gateway, GatewayEnvironment } from './gateway.ts'
import { makeOrder, makeShellOrder, type Conversation } from './orders.ts'
import { recoveryTimes, type RecoveryTimes } from './recovery-time.ts'
import type { Expectation, Scene } from './scene.ts'
import { talkAll } from './talk-all.ts'

export interface CrashRound extends Expectation {
  point: CrashPoint
  /** Starts a gateway with this besides. */
  start(environment: GatewayEnvironment): Promise<Gateway>
}

const crashTimeoutMs = 60_000

/** What has to happen first, so that the next gateway comes by the place in its recovery. */
const before: Partial<Record<CrashPoint, CrashPoint>> = {
  'after-adopt': 'after-first-event',
  'after-requeue': 'after-claim',
}

/** Clients give orders to a gateway that ends itself at the named place; the next one is left to sort it out. */
export async function crashRound(scene: Scene, options: CrashRound): Promise<RecoveryTimes> {
  const { context, site, model, ledger } = scene
  const { point, start, ...expectation } = options
  const where = `crash at "${point}"`
  model.forget()
  const first = before[point]
  let crashing = await start({ CRASH_AT: first ?? point })
  const talking = talkAll(context, site, conversations(`${context.seed}/${point}/${expectation.engineSurvives}`))
  if (first !== undefined) {
    await crashed(crashing)
    crashing = await start({ CRASH_AT: point })
  }
  const how = await crashed(crashing)
  const killedAt = Date.now()
  if (how !== 'SIGKILL')
    ledger.complain('every crash point is reached', `${where}: the gateway did not get there: ${how}`)
  const { listeningAt } = await start({})
  const sessions = await examineAftermath(scene, await talking, { where, ...expectation })
  const times = recoveryTimes(sessions, { killedAt, listeningAt })
  context.say(`${where}: ${times.runs} open runs over after ${times.allMs ?? 0} ms`)
  await site.gateway().stop()
  return times
}

/** How it ended; one that does not end is killed, which is told otherwise. */
async function crashed(gateway: Gateway): Promise<string> {
  const timer = new AbortController()
  const late = sleep(crashTimeoutMs, 'late' as const, { signal: timer.signal }).catch(() => 'late' as const)
  const end = await Promise.race([gateway.exited, late])
  timer.abort()
  if (end !== 'late') return end.signal ?? `exit code ${end.code}`
  await gateway.kill()
  return `it still ran after ${crashTimeoutMs} ms`
}

/** A few of every sort that has a crash point of its own. */
function conversations(name: string): readonly Conversation[] {
  const order = (kind: Parameters<typeof makeOrder>[0], number: number) => makeOrder(kind, `${name}/${number}`)
  return [
    { route: 'sessions', orders: [order('command', 1)] },
    { route: 'sessions', orders: [order('slow', 2), order('command', 3)] },
    { route: 'run', orders: [order('several turns', 4)] },
    { route: 'sessions', orders: [order('say', 5)] },
    { route: 'shell', orders: [makeShellOrder(`${name}/6`)] },
  ]
}
