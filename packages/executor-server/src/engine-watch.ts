import { setTimeout as sleep } from 'node:timers/promises'
import { readRssBytes } from './engine-growth.ts'
import type { RunningEngine } from './running-engine.ts'

export interface EngineWatchOptions {
  /** How often the engine is looked at. */
  intervalMs: number
  /** How long it may take to answer. */
  answerTimeoutMs: number
  /** So many answers may fail to come one after the other. */
  maxUnanswered: number
  onVitals(rssBytes: number | undefined): void
  /** The process is there and does not answer. */
  onHung(): Promise<void>
}

/** Looks at an engine until the signal aborts. */
export async function watchEngine(
  { process, client }: RunningEngine,
  options: EngineWatchOptions,
  signal: AbortSignal,
): Promise<void> {
  for (let unanswered = 0; ;) {
    await sleep(options.intervalMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
    options.onVitals(await readRssBytes(process.pid))
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(options.answerTimeoutMs)])
    const answered = await client.handshake(deadline).then(
      () => true,
      () => false,
    )
    if (signal.aborted) return
    unanswered = answered ? 0 : unanswered + 1
    if (unanswered < options.maxUnanswered) continue
    await options.onHung()
    return
  }
}
