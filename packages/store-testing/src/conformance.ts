import { describe, it } from 'node:test'
import { admission } from './cases/admission.ts'
import { asks } from './cases/asks.ts'
import { cursor } from './cases/cursor.ts'
import { durability } from './cases/durability.ts'
import { endings } from './cases/ending.ts'
import { expiry } from './cases/expiry.ts'
import { fencing } from './cases/fencing.ts'
import { furtherRuns } from './cases/further-runs.ts'
import { idempotency } from './cases/idempotency.ts'
import { lists } from './cases/lists.ts'
import { log } from './cases/log.ts'
import { providers } from './cases/providers.ts'
import { queue } from './cases/queue.ts'
import { raises } from './cases/raised.ts'
import { retention } from './cases/retention.ts'
import { runKeys } from './cases/run-keys.ts'
import { sessions } from './cases/sessions.ts'
import { usages } from './cases/usage.ts'
import type { StoreCaseGroup, StoreHarness } from './harness.ts'

export const storeCases: readonly StoreCaseGroup[] = [
  admission,
  furtherRuns,
  idempotency,
  queue,
  log,
  cursor,
  fencing,
  endings,
  asks,
  sessions,
  lists,
  expiry,
  retention,
  runKeys,
  providers,
  usages,
  raises,
  durability,
]

/** A store that never answers fails too. */
const caseTimeoutMs = 60_000

export interface StoreSubject {
  name: string
  /** A new, empty store for every case. */
  make(): Promise<StoreHarness>
}

/**
 * Registers the tests that every store passes. They see a store from outside only. What they cannot prove: that a
 * write is on the disk and not in a cache of the machine, and that two gateways can share a store.
 */
export function storeConformance({ name, make }: StoreSubject): void {
  for (const group of storeCases) {
    describe(`${name}: ${group.name}`, () => {
      for (const { name, run } of group.cases) {
        it(name, { timeout: caseTimeoutMs }, async () => {
          const harness = await make()
          try {
            await run(harness)
          } finally {
            await harness.dispose()
          }
        })
      }
    })
  }
}
