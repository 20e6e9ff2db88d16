import { retentionSteps } from './retention.ts'
import {
  FencedError,
  GatewayError,
  terminalStates,
  type EventBody,
  type ProviderStore,
  type RunPatch,
} from '@opencode-gateway/contracts'
import { addRaised } from './usage.ts'
import {
  claimable,
  follow,
  forgetCredentials,
  heldRun,
  isOpen,
  knownSession,
  limited,
  openRuns,
  pending,
  write,
  type Disk,
  type Steps,
} from './disk.ts'

type Writes = Omit<
  Steps,
  | 'createSession'
  | 'findCreated'
  | 'addRun'
  | 'check'
  | 'readEvents'
  | 'wasAsked'
  | `get${string}`
  | `list${string}`
  | 'countQueued'
  | 'queuePosition'
  | keyof ProviderStore
  | `${string}Usage`
>

const terminal = new Set<string>(terminalStates)

export function writeSteps(disk: Disk): Writes {
  return {
    claimRun(runId, { owner, leaseUntil, at }) {
      const run = disk.runs.get(runId)
      if (!run || !claimable(disk, run)) return undefined
      const { epoch, attempts } = run
      Object.assign(run, {
        state: 'starting',
        epoch: epoch + 1,
        attempts: attempts + 1,
        owner,
        leaseUntil,
        claimedAt: at,
      })
      write(disk, run, [pending('starting')], at)
      return run
    },
    requeueRun(fence, at) {
      const run = heldRun(disk, fence)
      if (run.promptedAt !== undefined) throw new FencedError(run.runId, 'prompted')
      const given = { owner: undefined, leaseUntil: undefined, claimedAt: undefined, currentTool: undefined, asks: [] }
      Object.assign(run, { state: 'queued', epoch: run.epoch + 1, progress: 0, ...given })
      write(disk, run, [pending('requeued')], at)
    },
    adoptRun(runId, { owner, leaseUntil }) {
      const run = disk.runs.get(runId)
      return run && isOpen(run) ? Object.assign(run, { owner, leaseUntil, epoch: run.epoch + 1 }) : undefined
    },
    append(fence, events, at, patch) {
      assertOneEnding(events, patch)
      const run = heldRun(disk, fence)
      const { currentTool, raised = [], ...rest } = patch ?? {}
      Object.assign(run, rest, currentTool !== undefined && { currentTool: currentTool ?? undefined })
      for (const limit of raised) addRaised(disk, limit)
      if (patch?.endedAt !== undefined) {
        run.asks = []
        disk.runKeys.delete(run.runId)
      }
      return write(disk, run, events, at)
    },
    requestCancel(sessionId, at, runId) {
      knownSession(disk, sessionId)
      const wanted = openRuns(disk, sessionId).filter((run) => (runId ?? run.runId) === run.runId)
      for (const run of wanted) run.cancelRequestedAt ??= at
      return wanted
    },
    setRef(sessionId, ref) {
      Object.assign(knownSession(disk, sessionId), { ref, releasedAt: undefined })
    },
    touchSession(sessionId, at) {
      const session = knownSession(disk, sessionId)
      if (session.closedAt !== undefined) return false
      session.updatedAt = Math.max(session.updatedAt, at)
      return true
    },
    closeSession(sessionId, at) {
      knownSession(disk, sessionId).closedAt ??= at
      forgetCredentials(disk, sessionId)
    },
    setReleased(sessionId, at) {
      knownSession(disk, sessionId).releasedAt ??= at
    },
    ...retentionSteps(disk),
    expire(before, now, limit) {
      limited([], limit)
      let events = 0
      for (const [sessionId, log] of disk.logs) {
        const wanted = log.findIndex(({ runId }) => (disk.runs.get(runId ?? '')?.endedAt ?? before) >= before)
        const dropped = log.splice(0, Math.min(wanted === -1 ? log.length : wanted, limit - events)).length
        knownSession(disk, sessionId).firstSeq += dropped
        events += dropped
        follow(disk, sessionId)
      }
      const old = limited(
        [...disk.keys].filter(([, { expiresAt }]) => expiresAt <= now),
        limit,
      )
      for (const [name] of old) disk.keys.delete(name)
      return { events, keys: old.length }
    },
  }
}

function assertOneEnding(events: readonly EventBody[], patch: RunPatch | undefined): void {
  const ends = patch?.state !== undefined && terminal.has(patch.state)
  const says = [patch?.complete, patch?.endedAt].filter((value) => value !== undefined).length
  const completes = events.filter(({ type }) => type === 'complete').length
  const last = events.at(-1)?.type === 'complete'
  const sound = ends ? says === 2 && completes === 1 && last : says === 0 && completes === 0
  if (!sound) throw new GatewayError('INTERNAL', 'a terminal state and its event belong together')
}
