import type { Store } from '@opencode-gateway/contracts'
import { isOpen, knownSession, openRuns } from '../memory/disk.ts'
import { broken, first, forRun } from './broken-store.ts'

export const brokenRuns = [
  broken('gives no lease', 'gives a claimed run its owner, its lease and a new epoch', (store) => ({
    claimRun: (runId, claim) => store.claimRun(runId, { ...claim, leaseUntil: 0 }),
  })),
  broken('claims what is at work', 'gives nobody a run that is not queued or not there', (store) => ({
    claimRun: async (runId, claim) => (await store.claimRun(runId, claim)) ?? store.getRun(runId),
  })),
  broken(
    'lets a session work on two runs',
    'lets the runs of a session through one after the other',
    (store, disk) => ({
      async claimRun(runId, claim) {
        const sessionId = disk.runs.get(runId)?.sessionId ?? ''
        const before = openRuns(disk, sessionId).filter((run) => run.runId !== runId)
        for (const run of before) run.endedAt = 1
        const claimed = await store.claimRun(runId, claim)
        for (const run of before) run.endedAt = undefined
        return claimed
      },
    }),
  ),
  broken(
    'starts what is to be cancelled',
    'lets no run through that is to be cancelled or whose session is closed',
    (store, disk) => ({
      claimRun(runId, claim) {
        first(disk, runId, () => ({ cancelRequestedAt: undefined }))
        return store.claimRun(runId, claim)
      },
    }),
  ),
  broken(
    'lists the newest first',
    'lists what can be claimed, the oldest first, one a session, so many as asked for',
    (store) => ({
      listQueued: async (limit) => (await store.listQueued(limit)).toReversed(),
    }),
  ),
  broken(
    'has one line for all tenants',
    'lists as many of each tenant as are asked for, however many another one has in line',
    (store) => ({
      listQueued: async (limit) => (await store.listQueued(limit)).slice(0, limit),
    }),
  ),
  broken('counts places from 0', 'knows how many come first', (store) => ({
    async queuePosition(runId) {
      const position = await store.queuePosition(runId)
      return position && position - 1
    },
  })),
  broken(
    'counts only what can be claimed',
    'counts the queued, those behind a run of their session included',
    (store) => ({
      countQueued: async () => (await store.listQueued(1_000)).length,
    }),
  ),
  broken('puts a run at the end again', 'takes a run back at its old place, with a new epoch', (store, disk) => ({
    async requeueRun(fence, at) {
      await store.requeueRun(fence, at)
      const run = disk.runs.get(fence.runId)
      disk.runs.delete(fence.runId)
      if (run) disk.runs.set(fence.runId, run)
    },
  })),
  broken('starts again what was prompted', 'takes no run back whose prompt may have been sent', (store, disk) => ({
    requeueRun(fence, at) {
      first(disk, fence.runId, () => ({ promptedAt: undefined }))
      return store.requeueRun(fence, at)
    },
  })),
  broken('queues what it adopts', 'is passed by when a run is adopted: it keeps its state', (store, disk) => ({
    async adoptRun(runId, claim) {
      const run = await store.adoptRun(runId, claim)
      if (run) first(disk, runId, () => ({ state: 'queued' }))
      return run && { ...run, state: 'queued' }
    },
  })),
  broken('forgets the queued', 'counts as open every run that has not ended, the oldest first', (store) => ({
    listOpenRuns: async (limit) => (await store.listOpenRuns(limit)).filter(({ state }) => state !== 'queued'),
  })),
  broken('has no bound', 'counts as open every run that has not ended, the oldest first', (store: Store) => ({
    listOpenRuns: () => store.listOpenRuns(1_000),
  })),

  broken(
    'cancels what has ended',
    'notes the wish to cancel on its open runs and names them, the oldest first',
    (store, disk) => ({
      async requestCancel(sessionId, at, runId) {
        const open = await store.requestCancel(sessionId, at, runId)
        for (const run of disk.runs.values()) if (!isOpen(run)) run.cancelRequestedAt = at
        return open
      },
    }),
  ),
  broken('cancels the neighbours', 'notes the wish to cancel one run on that run alone', (store) => ({
    requestCancel: (sessionId, at) => store.requestCancel(sessionId, at),
  })),
  broken(
    'shows the run that was written last',
    'shows the run at work, not those behind it, then the next, and at last the latest',
    (store, disk) => ({
      async append(fence, events, at, patch) {
        const result = await store.append(fence, events, at, patch)
        const state = patch?.state
        if (state && state !== 'queued' && state !== 'starting') knownSession(disk, fence.sessionId).status = state
        return result
      },
    }),
  ),
  broken(
    'clears what a patch leaves out',
    'has a run whose patches change what they name and nothing else',
    (store) => ({
      append: (fence, events, at, patch) => store.append(fence, events, at, patch && { progress: 0, ...patch }),
    }),
  ),
  broken(
    'has its asks in memory',
    'stand on the run from the event on, through a new start, until they are taken off',
    (_store, disk) => ({
      whenReopened: () => disk.runs.forEach((run) => Object.assign(run, { asks: [] })),
    }),
  ),
  broken('keeps the asks of the dead', 'do not outlive the run', (store, disk) => ({
    append(fence, ...rest) {
      const asks = disk.runs.get(fence.runId)?.asks ?? []
      return forRun(store.append(fence, ...rest), disk, fence.runId, (run) => (rest[2]?.asks ? run : { asks }))
    },
  })),
]
