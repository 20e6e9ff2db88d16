import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { storeCases, storeConformance, type StoreHarness } from '../src/index.ts'
import { brokenAdmission } from './broken/admission.ts'
import type { BrokenStore } from './broken/broken-store.ts'
import { brokenFences } from './broken/fences.ts'
import { brokenLog } from './broken/log.ts'
import { brokenProviders } from './broken/providers.ts'
import { brokenRaises } from './broken/raised.ts'
import { brokenRetention } from './broken/retention.ts'
import { brokenRunKeys } from './broken/run-keys.ts'
import { brokenRuns } from './broken/runs.ts'
import { brokenSessions } from './broken/sessions.ts'
import { brokenUsage } from './broken/usage.ts'
import { emptyDisk } from './memory/disk.ts'
import { createMemoryStore } from './memory/store.ts'

const brokenStores: readonly BrokenStore[] = [
  ...brokenAdmission,
  ...brokenFences,
  ...brokenRuns,
  ...brokenLog,
  ...brokenSessions,
  ...brokenRetention,
  ...brokenProviders,
  ...brokenRunKeys,
  ...brokenUsage,
  ...brokenRaises,
]
const cases = storeCases.flatMap((group) => group.cases)

async function makeHarness(make: BrokenStore['make'] = () => ({})): Promise<StoreHarness> {
  let disk = emptyDisk()
  let current = build()

  function build() {
    const sound = createMemoryStore(disk)
    const { whenReopened, leftByCrash, ...methods } = make(sound, disk)
    return { store: { ...sound, ...methods }, whenReopened, leftByCrash }
  }
  async function start() {
    current = build()
    await current.store.open()
    return current.store
  }

  await current.store.open()
  return {
    store: current.store,
    async reopen() {
      await current.store.close()
      current.whenReopened?.()
      return start()
    },
    async crash() {
      disk = current.leftByCrash?.() ?? disk
      return start()
    },
    async dispose() {},
  }
}

async function failures(make: BrokenStore['make']): Promise<string[]> {
  const failed: string[] = []
  for (const { name, run } of cases) {
    try {
      await run(await makeHarness(make))
    } catch {
      failed.push(name)
    }
  }
  return failed
}

storeConformance({ name: 'memory', make: () => makeHarness() })

describe('the suite', () => {
  const caught = new Set<string>()

  for (const { name, caughtBy, make } of brokenStores) {
    it(`catches a store that ${name}`, async () => {
      const failed = await failures(make)
      for (const failure of failed) caught.add(failure)
      assert.ok(failed.includes(caughtBy), `expected "${caughtBy}" to fail, but: ${failed.join('; ') || 'nothing did'}`)
    })
  }

  it('has no case that no broken store can fail', () => {
    assert.deepEqual(
      cases.map(({ name }) => name).filter((name) => !caught.has(name)),
      [],
    )
  })

  it('has no two cases of one name', () => {
    assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length)
  })
})
