import type { SoakRun } from './soak-run.ts'

interface StepTimes {
  min: number
  avg: number
  p95: number
  max: number
}

/** How many were right, how long each step took, and how many streams broke off before the end of their session. */
export function summary(results: readonly SoakRun[]) {
  const names = [...new Set(results.flatMap(({ steps }) => Object.keys(steps)))]
  const opened = results.reduce((sum, { streams }) => sum + streams.opened, 0)
  const complete = results.reduce((sum, { streams }) => sum + streams.complete, 0)
  return {
    success: results.filter(({ error }) => error === undefined).length,
    failed: results.filter(({ error }) => error !== undefined).length,
    sse: { opened, complete, disconnects: opened - complete },
    steps_ms: Object.fromEntries(names.map((name) => [name, times(results.flatMap(({ steps }) => steps[name] ?? []))])),
  }
}

export function times(values: readonly number[]): StepTimes {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0
  const sum = sorted.reduce((total, value) => total + value, 0)
  return {
    min: sorted[0] ?? 0,
    avg: Math.round(sum / Math.max(1, sorted.length)),
    p95: at(0.95),
    max: sorted.at(-1) ?? 0,
  }
}
