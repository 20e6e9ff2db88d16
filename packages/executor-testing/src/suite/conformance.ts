import { after, describe, test } from 'node:test'
import { caseGroups, commonGroups, endCommon, playCase, type CaseGroup, type ConformanceCase } from './case.ts'
import { askCases } from './cases/asks.ts'
import { commandCancelCases } from './cases/cancel-commands.ts'
import { cancelCases } from './cases/cancel.ts'
import { commandCases } from './cases/commands.ts'
import { contentCases } from './cases/content.ts'
import { deadlineCases } from './cases/deadlines.ts'
import { endingCases } from './cases/ending.ts'
import { failureCases } from './cases/failure.ts'
import { followUpCases } from './cases/follow-ups.ts'
import { forkCases } from './cases/forks.ts'
import { isolationCases } from './cases/isolation.ts'
import { lifecycleCases } from './cases/lifecycle.ts'
import { orderingCases } from './cases/ordering.ts'
import { proofCases } from './cases/proof.ts'
import { recoveryCases } from './cases/recovery.ts'
import { steeringCases } from './cases/steering.ts'
import { createCommonSession } from './common-session.ts'
import type { ExecutorHarness } from './harness.ts'

/** Every case of the suite. */
export const conformanceCases: readonly ConformanceCase[] = [
  ...orderingCases,
  ...endingCases,
  ...proofCases,
  ...contentCases,
  ...commandCases,
  ...followUpCases,
  ...cancelCases,
  ...commandCancelCases,
  ...deadlineCases,
  ...askCases,
  ...steeringCases,
  ...failureCases,
  ...isolationCases,
  ...lifecycleCases,
  ...forkCases,
  ...recoveryCases,
]

/** The cases whose needs the harness meets. */
export function casesFor({ abilities }: Pick<ExecutorHarness, 'abilities'>): readonly ConformanceCase[] {
  return conformanceCases.filter(({ needs = [] }) => needs.every((ability) => abilities.includes(ability)))
}

export interface ConformanceOptions {
  /** Limit of one case. Default 30 s. */
  readonly limitMs?: number
  /** Of all groups unless given. */
  readonly groups?: readonly CaseGroup[]
  /** Cases that can be played in one session are, group by group: for executors whose fixtures share one that is costly. */
  readonly commonSessions?: boolean
}

/** Whether it can be played in a session in which others have worked. */
export function isCommon({ group, session }: Pick<ConformanceCase, 'group' | 'session'>): boolean {
  return commonGroups.has(group) && session !== 'own'
}

/** Registers the suite with node:test: one test per case that applies, by group. */
export function executorConformance(
  harness: ExecutorHarness,
  { limitMs = 30_000, groups = caseGroups, commonSessions = false }: ConformanceOptions = {},
): void {
  const cases = casesFor(harness)
  describe(`executor conformance: ${harness.name}`, () => {
    for (const group of groups) {
      const grouped = cases.filter((candidate) => candidate.group === group)
      if (grouped.length === 0) continue
      describe(group, () => {
        const shared = commonSessions ? grouped.filter(isCommon) : []
        if (shared.length > 0) playTogether(shared, harness, limitMs)
        for (const candidate of grouped.filter((one) => !shared.includes(one)))
          test(candidate.name, () => playCase(candidate, harness, { limitMs }))
      })
    }
  })
}

function playTogether(cases: readonly ConformanceCase[], harness: ExecutorHarness, limitMs: number): void {
  describe('in a session that they have in common', () => {
    const common = createCommonSession()
    for (const candidate of cases) test(candidate.name, () => playCase(candidate, harness, { limitMs, common }))
    after(() => endCommon(common, harness))
  })
}
