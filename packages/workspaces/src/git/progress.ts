// What a share of the whole each step of a clone takes, by what git calls it.
const STEPS: readonly { name: string; from: number; to: number }[] = [
  { name: 'Receiving objects', from: 0, to: 70 },
  { name: 'Resolving deltas', from: 70, to: 85 },
  { name: 'Updating files', from: 85, to: 100 },
]
const LINE =
  /^(?<name>[A-Z][A-Za-z ]+): +(?<percent>\d+)% \(\d+\/\d+\)(?:, (?<size>[\d.]+) (?<unit>bytes|KiB|MiB|GiB|TiB))?/
const UNITS: Readonly<Record<string, number>> = { bytes: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 }
const INTERVAL_MS = 1_000

/** What a line of git's progress says: percent of the clone as a whole, and bytes received so far. */
export function parseProgress(line: string): { percent?: number; receivedBytes?: number } {
  const parts = LINE.exec(line)?.groups
  if (parts === undefined) return {}
  const step = STEPS.find(({ name }) => name === parts['name'])
  const unit = UNITS[parts['unit'] ?? '']
  return {
    ...(step === undefined
      ? {}
      : { percent: Math.floor(step.from + ((step.to - step.from) * Math.min(100, Number(parts['percent']))) / 100) }),
    ...(unit === undefined ? {} : { receivedBytes: Math.round(Number(parts['size']) * unit) }),
  }
}

/** Passes percents on that are higher than the last, one a second at most. */
export function throttled(tell: (percent: number) => void, now: () => number = Date.now): (percent: number) => void {
  let lastPercent = -1
  let lastAt = Number.NEGATIVE_INFINITY
  return (percent) => {
    if (percent <= lastPercent || now() - lastAt < INTERVAL_MS) return
    lastPercent = percent
    lastAt = now()
    tell(percent)
  }
}
