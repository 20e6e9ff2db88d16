/** One line of the table: something measured, and what it should be, if there is a promise about it. */
export interface Figure {
  what: string
  measured: string
  target?: string
  /** Absent when there is no target. */
  ok?: boolean
  /** The numbers behind `measured`, for `--json`; units in the names. */
  values?: Readonly<Record<string, number>>
}

export interface BenchContext {
  signal: AbortSignal
  /** A directory of this bench's own on a real disk, removed afterwards. */
  directory: string
  /** How many sessions a bench that is about their number is to make, when it was said. */
  sessions?: number
  /** Progress, for people. */
  say(line: string): void
  /** Cleans up after the bench, last registered first, whether it succeeded or not. */
  after(cleanUp: () => Promise<void> | void): void
}

/** Measures one promise. Speed is never asserted by a test, only printed here. */
export interface Bench {
  name: string
  describe: string
  /** It takes long: only when it is asked for. */
  byNameOnly?: boolean
  run(context: BenchContext): Promise<readonly Figure[]>
}
