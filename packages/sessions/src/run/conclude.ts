import type { Log, RunRow } from '@opencode-gateway/contracts'
import type { Asks } from './asks.ts'
import type { DeliveryResult, Ending } from './ending.ts'
import type { EventWriter } from './event-writer.ts'
import type { CrashPoint, Observe } from '../observation.ts'
import type { RunMeter } from './run-meter.ts'
import type { RunStop } from './run-stop.ts'
import type { RunWatch } from './run-watch.ts'
import { decideComplete } from './verdict.ts'

export interface ConcludeOptions {
  run: RunRow
  ending: Ending
  delivery: DeliveryResult | undefined
  stop: Pick<RunStop, 'receipt' | 'reason'>
  asks: Pick<Asks, 'expired'>
  meter: Pick<RunMeter, 'usage'>
  watch: Pick<RunWatch, 'filesModified' | 'timings'>
  /** Something had reached the agent. */
  prompted: boolean
  startTimeoutMs: number
  writer: Pick<EventWriter, 'commit'>
  log: Log
  observe: Observe
  crashPoint(name: CrashPoint): void
}

/** Decides how the run ended, and writes it: the last thing its log tells. */
export async function conclude(options: ConcludeOptions): Promise<void> {
  const { run, ending, delivery, stop, asks, meter, watch, prompted, writer, log, observe, crashPoint } = options
  const receipt = await stop.receipt()
  const endedAt = Date.now()
  const complete = decideComplete({
    ending,
    delivery,
    stop: stop.reason(),
    askExpired: asks.expired(),
    receipt,
    limits: { ...run.limits, startMs: options.startTimeoutMs },
    prompted,
    usage: meter.usage(),
    filesModified: watch.filesModified(),
    timings: watch.timings(endedAt),
  })
  crashPoint('before-complete')
  await writer.commit([{ type: 'complete', data: complete }], {
    state: complete.outcome,
    endedAt,
    complete,
    progress: complete.success ? 100 : run.progress,
    currentTool: null,
  })
  crashPoint('after-complete')
  observe({ kind: 'ended', complete })
  log.info({ outcome: complete.outcome, code: complete.error?.code, totalMs: complete.timings.total_ms }, 'run ended')
}
