import type { ModelUsage } from '@opencode-gateway/contracts'
import type { Disk } from '../memory/disk.ts'
import { broken } from './broken-store.ts'

const adds = 'adds up usage by run, session, key and day, and has it after a restart'
const reports = 'reports usage of one tenant, a row for each group and model, within its bounds'
const stays = 'has the usage of a session that is forgotten by day, key and model'
const hides = 'tells nothing of the runs of a session that is forgotten, and all of the others'
const drops = 'drops what forgotten sessions used on old days, the oldest first, as many as its limit'

const without = (disk: Disk, isGone: (usage: ModelUsage) => boolean): void => {
  disk.usage = disk.usage.filter((usage) => !isGone(usage))
}

export const brokenUsage = [
  broken('keeps only the latest usage of a run', adds, (store, disk) => ({
    addUsage(usage) {
      without(disk, ({ runId, model }) => runId === usage.runId && model === usage.model)
      return store.addUsage(usage)
    },
  })),
  broken('loses usage at a restart', adds, (_, disk) => ({
    whenReopened() {
      disk.usage = []
    },
  })),
  broken('reports without a limit', reports, (store) => ({
    reportUsage: (query) => store.reportUsage({ ...query, limit: 1_000 }),
  })),
  broken('reports the time of runs that called no model', reports, (store) => ({
    addUsage: (usage) => store.addUsage({ ...usage, calls: Math.max(1, usage.calls) }),
  })),
  broken('forgets usage with its session', stays, (store, disk) => ({
    async forget(before, limit) {
      const forgotten = await store.forget(before, limit)
      without(disk, ({ runId }) => runId === '')
      return forgotten
    },
  })),
  broken('tells of runs that are forgotten', hides, (store, disk) => ({
    async forget(before, limit) {
      const { usage } = structuredClone(disk)
      const forgotten = await store.forget(before, limit)
      disk.usage = usage
      return forgotten
    },
  })),
  broken('drops all old usage at once', drops, (store) => ({ dropUsage: (before) => store.dropUsage(before, 1_000) })),
  broken('drops the usage of that very day', drops, (store) => ({
    dropUsage: (before, limit) => store.dropUsage(`${before}x`, limit),
  })),
]
