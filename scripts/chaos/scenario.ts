import type { BenchContext, Figure } from '../bench/bench.ts'

export interface ChaosContext extends BenchContext {
  /** Rounds asked for, or what the scenario takes for a moderate number. */
  rounds(moderate: number): number
  /** Minutes asked for, or what the scenario takes for a moderate time. */
  minutes(moderate: number): number
  /** Where chance begins: the same seed makes the same orders and waits the same times. */
  seed: number
}

export interface Findings {
  figures: readonly Figure[]
  /** What was promised and did not hold, one sentence each. */
  violations: readonly string[]
}

/** Breaks something on purpose, again and again, and checks what must hold whatever breaks. */
export interface Scenario {
  name: string
  describe: string
  run(context: ChaosContext): Promise<Findings>
}
