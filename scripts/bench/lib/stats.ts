export interface Summary {
  n: number
  min: number
  p50: number
  p90: number
  p95: number
  p99: number
  max: number
  mean: number
}

export function summarize(samples: Iterable<number>): Summary {
  const sorted = Float64Array.from(samples).sort()
  return {
    n: sorted.length,
    min: sorted.at(0) ?? Number.NaN,
    p50: quantile(sorted, 0.5),
    p90: quantile(sorted, 0.9),
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    max: sorted.at(-1) ?? Number.NaN,
    mean: sorted.reduce((sum, value) => sum + value, 0) / sorted.length,
  }
}

export function median(samples: Iterable<number>): number {
  return quantile(Float64Array.from(samples).sort(), 0.5)
}

/** Nearest rank; for an even number of samples the median is the mean of the two in the middle. */
function quantile(sorted: Float64Array, q: number): number {
  const at = sorted.length * q
  const upper = sorted[Math.min(sorted.length, Math.floor(at) + 1) - 1] ?? Number.NaN
  const lower = sorted[Math.max(1, Math.ceil(at)) - 1] ?? Number.NaN
  return q === 0.5 ? (lower + upper) / 2 : lower
}
