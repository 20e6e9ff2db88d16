/** What the consumer of a run was told before we lost sight of it, as far as the log tells. */
export interface Told {
  /** Tool calls and results by call id; a call id may come more than once. */
  calls: Map<string, number>
  results: Map<string, number>
  /** Characters by part. */
  characters: Map<string, number>
  cutParts: Set<string>
  files: Map<string, number>
  modelCalls: number
}

export function nothingTold(): Told {
  return {
    calls: new Map(),
    results: new Map(),
    characters: new Map(),
    cutParts: new Set(),
    files: new Map(),
    modelCalls: 0,
  }
}

/** Takes one off a count; true when there was one. */
export function takeOne(counts: Map<string, number>, key: string): boolean {
  const count = counts.get(key) ?? 0
  if (count > 0) counts.set(key, count - 1)
  return count > 0
}
