const UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
type Unit = keyof typeof UNITS_MS
const isUnit = (unit: string): unit is Unit => Object.hasOwn(UNITS_MS, unit)

/** Milliseconds of `300` (seconds), `"300"`, `"300s"`, `"5m"`, `"1h"`; undefined when it is not a duration. */
export function durationMs(input: number | string): number | undefined {
  if (typeof input === 'number') return Number.isFinite(input) && input >= 0 ? Math.round(input * 1000) : undefined
  const match = /^(\d+(?:\.\d+)?)([a-z]*)$/.exec(input.trim())
  const [, amount, unit] = match ?? []
  if (amount === undefined || unit === undefined) return undefined
  if (unit === '') return Math.round(Number(amount) * 1000)
  return isUnit(unit) ? Math.round(Number(amount) * UNITS_MS[unit]) : undefined
}
