import type { Summary } from './stats.ts'

export function ms(value: number): string {
  return `${value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)} ms`
}

export function ratio(value: number): string {
  return `${value.toFixed(value >= 10 ? 1 : 2)}×`
}

export function perSecond(value: number): string {
  return `${value.toFixed(0)}/s`
}

export function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MB`
}

export function quantiles({ p50, p90, p99, n }: Summary): string {
  return `p50 ${ms(p50)}, p90 ${ms(p90)}, p99 ${ms(p99)} (n=${n})`
}

/** The quantiles as numbers for `--json`, each name ending in the unit. */
export function quantileValues(prefix: string, { n, min, p50, p90, p99, max }: Summary): Record<string, number> {
  const values = { minMs: min, p50Ms: p50, p90Ms: p90, p99Ms: p99, maxMs: max, n }
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}_${name}`, value]))
}
