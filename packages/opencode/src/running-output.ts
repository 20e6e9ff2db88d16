/** What a running tool has written, as far as it was seen. */
export interface SeenOutput {
  /** Characters that were seen in all. */
  total: number
  /** The latest of them, as many as the engine shows. */
  window: string
}

/** The engine shows the last 30 000 characters of what a running tool wrote, after this, once there are more. */
const SLID = '...\n\n'
const WINDOW = 30_000
const HEAD = 64
const MAX_CANDIDATES = 100

/** What is new in an output the engine shows; undefined when something between it and what was seen is missing. */
export function continueOutput(seen: SeenOutput, shown: string): { text: string; seen: SeenOutput } | undefined {
  const slid = shown.length === WINDOW + SLID.length && shown.startsWith(SLID)
  const window = slid ? shown.slice(SLID.length) : shown
  const text = slid ? afterOverlap(seen.window, window) : shown.slice(seen.total)
  if (text === undefined) return undefined
  return { text, seen: { total: seen.total + text.length, window } }
}

/** The part of `next` after its longest beginning that is an end of `previous`. */
function afterOverlap(previous: string, next: string): string | undefined {
  const head = next.slice(0, HEAD)
  let at = previous.indexOf(head)
  for (let tried = 0; at >= 0 && tried < MAX_CANDIDATES; tried += 1) {
    const overlap = previous.slice(at)
    if (next.startsWith(overlap)) return next.slice(overlap.length)
    at = previous.indexOf(head, at + 1)
  }
  return undefined
}
