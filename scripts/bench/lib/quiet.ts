import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

const idleShare = 0.85
const sampleMs = 150
const patienceMs = 2_000

/**
 * Settles once the machine has had little to do for a moment: what else works on it, and what is left of the sample
 * before, would else be measured too. Gives up waiting after a while, so that a busy machine measures something.
 */
export async function quietMoment(signal: AbortSignal): Promise<void> {
  for (const startedAt = performance.now(); performance.now() - startedAt < patienceMs;) {
    const before = times()
    await sleep(sampleMs, undefined, { signal })
    const after = times()
    if (after.idle - before.idle >= idleShare * (after.all - before.all)) return
  }
}

function times(): { idle: number; all: number } {
  const sum = { idle: 0, all: 0 }
  for (const { times } of cpus()) {
    sum.idle += times.idle
    sum.all += times.idle + times.user + times.nice + times.sys + times.irq
  }
  return sum
}
