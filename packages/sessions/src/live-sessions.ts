import {
  ExecutorError,
  GatewayError,
  withSignal,
  type AgentSession,
  type CallContext,
  type Executor,
  type SessionRow,
  type SessionSpec,
  type Store,
  type Workspaces,
} from '@opencode-gateway/contracts'
import type { CrashPoint } from './observation.ts'

/** What is told while a session is opened. */
export type OpeningTold = Required<Pick<SessionSpec, 'onGit' | 'onWaiting'>>

/** The sessions that this process holds open in an executor. */
export interface LiveSessions {
  /** Opens the session, attaches to it after a restart, or gives the one that is open. */
  obtain(row: SessionRow, ctx: CallContext, told: OpeningTold): Promise<AgentSession>
  /** Only attaches: undefined when the executor no longer has it, or never had. */
  find(row: SessionRow, ctx: CallContext): Promise<AgentSession | undefined>
  /** Holds a session that was opened elsewhere. */
  adopt(sessionId: string, agent: AgentSession): void
  /** Undefined where the executor has none. */
  fork(row: SessionRow): Executor['fork']
  /** Undefined where they cannot be reached. */
  workspacesOf(row: SessionRow): Workspaces | undefined
  /** Gives back what the session holds; idempotent. */
  release(row: SessionRow, keep: 'nothing' | 'workspace', ctx: CallContext): Promise<void>
}

/** The latest runs of a session, any of which tells whether its engine has been at work. */
const runsLookedAt = 100

export interface LiveSessionsOptions {
  executors: ReadonlyMap<string, Executor>
  store: Store
  crashPoint?: ((name: CrashPoint) => void) | undefined
}

export function createLiveSessions({ executors, store, crashPoint }: LiveSessionsOptions): LiveSessions {
  const open = new Map<string, AgentSession>()

  function executorOf(row: SessionRow): Executor {
    const executor = executors.get(row.executor)
    if (executor) return executor
    throw new ExecutorError(
      'EXECUTOR_UNAVAILABLE',
      `Session "${row.sessionId}" belongs to executor "${row.executor}", which is not configured. Set EXECUTOR=${row.executor} to use it.`,
      { retryable: false },
    )
  }

  async function find(row: SessionRow, ctx: CallContext): Promise<AgentSession | undefined> {
    const known = open.get(row.sessionId)
    if (known || row.ref === undefined) return known
    const attached = await executorOf(row).attach(row.ref, ctx)
    if (attached) open.set(row.sessionId, attached)
    return attached
  }

  /** Whether an engine may have worked in the session; otherwise nothing is lost with it. */
  async function hasBeenPrompted({ sessionId }: SessionRow): Promise<boolean> {
    const runs = await store.listRuns(sessionId, runsLookedAt)
    return runs.some((run) => run.promptedAt !== undefined)
  }

  return {
    find,
    adopt: (sessionId, agent) => void open.set(sessionId, agent),
    fork(row) {
      const executor = executorOf(row)
      return executor.fork?.bind(executor)
    },
    workspacesOf: (row) => executorOf(row).workspaces,
    async obtain(row, ctx, { onGit, onWaiting }) {
      const found = await find(row, ctx)
      if (found) return found
      if (row.ref !== undefined && (await hasBeenPrompted(row))) {
        throw new ExecutorError(
          'ENGINE_LOST',
          `The executor no longer has session "${row.sessionId}". Make a new session.`,
          { retryable: false },
        )
      }
      const fill = await store.getFill(row.sessionId)
      const { sessionId, title } = row
      const spec = { sessionId, title, onWaiting, ...(fill === undefined ? {} : { fill, onGit }) }
      const opened = await executorOf(row).open(spec, ctx)
      open.set(row.sessionId, opened)
      await store.setRef(row.sessionId, opened.ref)
      crashPoint?.('after-ref')
      return opened
    },
    async release(row, keep, ctx) {
      if (row.releasedAt !== undefined) return
      const held = await find(row, ctx)
      // Without one it was filled before it was opened, or lost by its engine.
      const removing = () =>
        keep === 'nothing' ? executors.get(row.executor)?.workspaces?.remove(row.sessionId) : undefined
      await inTime(row, Promise.resolve(held ? held.release(keep) : removing()), ctx)
      open.delete(row.sessionId)
      if (keep === 'nothing') await store.setReleased(row.sessionId, Date.now())
    },
  }
}

/** Whoever holds a session meanwhile must not do so for ever. What comes late counts for the next attempt. */
async function inTime({ sessionId }: SessionRow, releasing: Promise<void>, { signal, log }: CallContext) {
  try {
    await withSignal(releasing, signal)
  } catch (error) {
    if (!signal.aborted) throw error
    releasing.catch((err: unknown) => log.warn({ err }, 'a release failed after it was given up'))
    const text = `Session "${sessionId}" was not released in time. It is tried again.`
    throw new ExecutorError('EXECUTOR_UNAVAILABLE', text, { cause: error })
  }
}

/** What an executor threw, as the error of a run. */
export function asGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error
  return new GatewayError('INTERNAL', 'The executor broke. The log of the gateway has the cause.', { cause: error })
}
