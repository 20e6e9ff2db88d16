import { GatewayError } from '@opencode-gateway/contracts'
import { openRuns, queuedRuns } from '../memory/disk.ts'
import { broken, epochOf, first, forRun, others } from './broken-store.ts'

export const brokenFences = [
  broken(
    'forgets who waits for an answer',
    'stand on the run from the event on, through a new start, until they are taken off',
    (store, disk) => ({
      append(fence, events, at, patch) {
        const { asks: _, ...rest } = patch ?? {}
        return store.append(fence, events, at, rest)
      },
      whenReopened: () => disk.runs.forEach((run) => Object.assign(run, { asks: [] })),
    }),
  ),
  broken(
    'knows no ask of an ended run',
    'are remembered in the log of their session, when they are over too',
    (store, disk) => ({
      wasAsked: async (sessionId, askId) =>
        openRuns(disk, sessionId).length > 0 && (await store.wasAsked(sessionId, askId)),
    }),
  ),
  broken('keeps the asks of an ended run', 'do not outlive the run', (store, disk) => ({
    append(fence, events, at, patch) {
      const { asks = [] } = disk.runs.get(fence.runId) ?? {}
      const done = store.append(fence, events, at, patch)
      return patch?.endedAt === undefined ? done : forRun(done, disk, fence.runId, () => ({ asks }))
    },
  })),
  broken('lets anybody write', 'keeps a former owner from writing', (store, disk) => ({
    append: (fence, ...rest) => store.append({ ...fence, epoch: epochOf(disk, fence.runId) }, ...rest),
  })),
  broken(
    'keeps the epoch of a run given back',
    'keeps an owner that gave the run back from writing',
    (store, disk) => ({
      requeueRun: (fence, at) =>
        forRun(store.requeueRun(fence, at), disk, fence.runId, ({ epoch }) => ({ epoch: epoch - 1 })),
    }),
  ),
  broken(
    'lets the owner write after the end',
    'keeps everybody from writing to a run that has ended',
    (store, disk) => ({
      append(fence, events, ...rest) {
        if (!events.some(({ type }) => type === 'complete')) first(disk, fence.runId, () => ({ endedAt: undefined }))
        return store.append(fence, events, ...rest)
      },
    }),
  ),
  broken(
    'does not raise the epoch of a claim',
    'keeps the canceller of a queued run from writing once it has been claimed',
    (store, disk) => ({
      async claimRun(runId, claim) {
        const run = await store.claimRun(runId, claim)
        if (run) first(disk, runId, ({ epoch }) => ({ epoch: epoch - 1 }))
        return run && { ...run, epoch: run.epoch - 1 }
      },
    }),
  ),
  broken('believes any newer epoch', 'with an epoch that has not come yet is refused', (store, disk) => ({
    append: (fence, ...rest) =>
      store.append({ ...fence, epoch: Math.min(fence.epoch, epochOf(disk, fence.runId)) }, ...rest),
  })),
  broken('does not look at the session of a fence', 'fits one run of one session', (store, disk) => ({
    append: (fence, ...rest) =>
      store.append({ ...fence, sessionId: disk.runs.get(fence.runId)?.sessionId ?? fence.sessionId }, ...rest),
  })),
  broken('lets anybody give a run back', 'is checked before a run goes back into the queue', (store, disk) => ({
    requeueRun: (fence, at) => store.requeueRun({ ...fence, epoch: epochOf(disk, fence.runId) }, at),
  })),
  broken('undoes the neighbours of a fenced write', 'fails alone: the writes around it are kept', (store, disk) => ({
    append: (fence, ...rest) =>
      store.append(fence, ...rest).catch((error: unknown) => {
        const log = disk.logs.get(fence.sessionId) ?? []
        if (log.at(-1)?.type === 'output') log.pop()
        throw error
      }),
  })),
  broken('asks first and claims later', 'goes to one of many that claim a run at once', (store, disk) => ({
    async claimRun(runId, claim) {
      if (disk.runs.get(runId)?.state !== 'queued') return undefined
      await others()
      first(disk, runId, () => ({ state: 'queued' }))
      return store.claimRun(runId, claim)
    },
  })),

  broken('lets the last ending win', 'comes once, whoever else wants to end it', (store, disk) => ({
    append(fence, ...rest) {
      if (rest[2]?.complete) first(disk, fence.runId, () => ({ endedAt: undefined }))
      return store.append(fence, ...rest)
    },
  })),
  broken('ends a run twice without a word', 'comes once, whoever else wants to end it', (store) => ({
    append: (fence, events, at, patch) =>
      store.append(fence, events, at, patch).catch((error: unknown) => {
        if (patch?.complete === undefined) throw error
        return { firstSeq: 1, lastSeq: 0 }
      }),
  })),
  broken('raises the dead', 'is final: no claim, no adoption, no other state', (store, disk) => ({
    adoptRun(runId, claim) {
      first(disk, runId, () => ({ endedAt: undefined }))
      return store.adoptRun(runId, claim)
    },
  })),
  broken('takes every ending for a good one', 'shows on the session', (store) => ({
    async getSession(sessionId) {
      const session = await store.getSession(sessionId)
      return session && { ...session, status: session.openRuns === 0 ? 'completed' : session.status }
    },
  })),
  broken('wants a claim before an ending', 'can come while it is still queued', (store, disk) => ({
    append(fence, ...rest) {
      const epoch = queuedRuns(disk).some(({ runId }) => runId === fence.runId) ? -1 : fence.epoch
      return store.append({ ...fence, epoch }, ...rest)
    },
  })),
  broken('counts the cancelled as queued', 'makes room in the queue when it was queued', (store, disk) => ({
    addRun(run, admission) {
      const cancelled = [...disk.runs.values()].filter(({ state }) => state === 'cancelled').length
      return store.addRun(run, { ...admission, maxQueued: admission.maxQueued - cancelled })
    },
  })),
  broken(
    'takes an ending in pieces',
    'is refused without its event, its time or its verdict, and an event without its state',
    (store) => ({
      append: (...args) =>
        store.append(...args).catch((error: unknown) => {
          if (error instanceof GatewayError && error.code === 'INTERNAL') return { firstSeq: 1, lastSeq: 0 }
          throw error
        }),
    }),
  ),
]
