import { broken } from './broken-store.ts'

const until = 'keeps the sealed key of a run until it has ended, apart from its row'
const same = 'leaves the key of a run as it is when the same request comes again'

export const brokenRunKeys = [
  broken('keeps the keys of runs that have ended', until, (store, disk) => ({
    async append(...of) {
      const keys = new Map(disk.runKeys)
      const result = await store.append(...of)
      disk.runKeys = keys
      return result
    },
  })),
  broken('forgets the key of a run that is tried again', until, (store, disk) => ({
    async requeueRun(fence, at) {
      await store.requeueRun(fence, at)
      disk.runKeys.delete(fence.runId)
    },
  })),
  broken('keeps the key of a run that was not made', same, (store, disk) => ({
    createSession(session, run, admission) {
      if (run?.sealedKey !== undefined) disk.runKeys.set(run.runId, run.sealedKey)
      return store.createSession(session, run, admission)
    },
  })),
]
