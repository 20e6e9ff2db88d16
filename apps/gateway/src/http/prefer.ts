/** How long a client wants to wait for the answer (RFC 7240): `respond-async` means not at all, `wait=N` N seconds. */
export type Preference = { mode: 'wait' } | { mode: 'async' } | { mode: 'limited'; waitMs: number; applied: string }

/** Longest wait a preference can name, in seconds; a longer one is cut to it. */
const MAX_WAIT_SECONDS = 3600

export function readPrefer(header: string | string[] | undefined): Preference {
  const parts = [header ?? []].flat().flatMap((value) => value.split(/[,;]/))
  const preferences = parts.map((part) => part.trim().toLowerCase())
  const seconds = preferences
    .map((part) => /^wait\s*=\s*"?(\d{1,9})"?$/.exec(part)?.[1])
    .find((value) => value !== undefined)
  if (seconds !== undefined) {
    const limited = Math.min(Number(seconds), MAX_WAIT_SECONDS)
    return { mode: 'limited', waitMs: limited * 1000, applied: `wait=${limited}` }
  }
  return preferences.includes('respond-async') ? { mode: 'async' } : { mode: 'wait' }
}
