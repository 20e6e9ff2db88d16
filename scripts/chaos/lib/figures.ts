import type { Figure } from '../../bench/bench.ts'
import { ms } from '../../bench/lib/format.ts'
import type { RecoveryTimes } from './recovery-time.ts'

export interface Spread {
  n: number
  p50: number
  p95: number
  max: number
}

/** Nearest rank. NaN when there is nothing. */
export function spread(samples: readonly number[]): Spread {
  const sorted = samples.toSorted((a, b) => a - b)
  const rank = (q: number): number => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN
  return { n: sorted.length, p50: rank(0.5), p95: rank(0.95), max: rank(1) }
}

/** How long something took; `targetMs` is for its 95th percentile. */
export function durationFigure(what: string, samplesMs: readonly number[], targetMs?: number): Figure {
  const { n, p50, p95, max } = spread(samplesMs)
  return {
    what,
    measured: n === 0 ? 'never' : `p50 ${ms(p50)}, p95 ${ms(p95)}, max ${ms(max)} (n=${n})`,
    ...(targetMs === undefined ? {} : { target: `p95 ≤ ${targetMs / 1000} s`, ok: p95 <= targetMs }),
    ...(n === 0 ? {} : { values: { n, p50Ms: p50, p95Ms: p95, maxMs: max } }),
  }
}

const recoveryTargetMs = 5_000

export function recoveryFigures(times: readonly RecoveryTimes[]): readonly Figure[] {
  const runs = times.reduce((sum, { runs }) => sum + runs, 0)
  const defined = (values: readonly (number | undefined)[]): readonly number[] =>
    values.filter((value) => value !== undefined)
  return [
    {
      what: 'rounds',
      measured: `${times.length}, ${runs} runs open at a kill`,
      values: { rounds: times.length, runs },
    },
    durationFigure(
      'listening → last run that had been sent is over',
      defined(times.map(({ sentMs }) => sentMs)),
      recoveryTargetMs,
    ),
    durationFigure('listening → last run is over, new starts included', defined(times.map(({ allMs }) => allMs))),
  ]
}
