import type { Figure } from '../bench/bench.ts'
import type { Check } from './checks/check.ts'

/** Counts what was checked and keeps what did not hold. */
export interface Ledger {
  check<Subject>(check: Check<Subject>, subjects: readonly Subject[], where: string): void
  /** What no check foresaw. */
  complain(name: string, complaint: string): void
  violations(): readonly string[]
  /** The whole of it. A check without subjects counts as violated: it has said nothing. */
  close(): { figures: readonly Figure[]; violations: readonly string[] }
}

export function createLedger(say: (line: string) => void): Ledger {
  const entries = new Map<string, { checked: number; violated: number }>()
  const violations: string[] = []

  function add(name: string, checked: number, complaints: readonly string[]): void {
    const { checked: before, violated } = entries.get(name) ?? { checked: 0, violated: 0 }
    entries.set(name, { checked: before + checked, violated: violated + complaints.length })
    for (const complaint of complaints) {
      say(`VIOLATED ${name}: ${complaint}`)
      violations.push(`${name}: ${complaint}`)
    }
  }

  return {
    check(check, subjects, where) {
      const complaints = subjects.flatMap((subject) => check.complaints(subject))
      add(
        check.name,
        subjects.length,
        complaints.map((complaint) => `${where}: ${complaint}`),
      )
    },
    complain: (name, complaint) => add(name, 1, [complaint]),
    violations: () => violations,
    close() {
      const silent = [...entries].filter(([, { checked }]) => checked === 0)
      return {
        figures: [...entries].map(([what, { checked, violated }]) => ({
          what,
          measured: `${violated} violations in ${checked}`,
          target: '0',
          ok: violated === 0 && checked > 0,
          values: { checked, violated },
        })),
        violations: [...violations, ...silent.map(([name]) => `${name}: nothing was checked`)],
      }
    },
  }
}
