import { randomUUID } from 'node:crypto'
import type { AgentSession, CallContext, ContainerResources, Executor, SessionSpec } from '@opencode-gateway/contracts'
import {
  agentOptions,
  containerOptions,
  ExecutorError,
  modelOptions,
  repositoryOptions,
} from '@opencode-gateway/contracts'
import { stopLimits, unattended } from '@opencode-gateway/opencode'
import type { SessionPlace } from '@opencode-gateway/opencode'
import { createDirectories, removeInside } from '@opencode-gateway/workspaces'
import { createContainerSlots } from './container-slots.ts'
import { createContainerWatch } from './container-watch.ts'
import { createDaemon } from './daemon.ts'
import { createDiscarded } from './discard.ts'
import { createDockerSession } from './docker-session.ts'
import type { DockerSessionOptions } from './docker-session.ts'
import { forkSession } from './fork-session.ts'
import { createHealthCheck } from './health-check.ts'
import { provideImage } from './image.ts'
import { inside } from './inside.ts'
import { learnCatalogue } from './learn-catalogue.ts'
import { containedLimits, defaultLimits } from './options.ts'
import type { DockerExecutorOptions } from './options.ts'
import { limitsIn } from './own-limits.ts'
import { requireNewEnough } from './new-enough.ts'
import { createSessionEngine } from './session-engine.ts'
import type { SessionEngine } from './session-engine.ts'
import { createSharedWorkspaces } from './shared-workspaces.ts'
import { createPlaces } from './session-place.ts'
import { createEngineStarter } from './start-engine.ts'
import { sweepSessions } from './sweep.ts'
import { containerUser } from './container-user.ts'
import { createWarmStarter } from './warm-starter.ts'

const END_TIMEOUT_MS = 10_000
const MAX_COPY_BYTES = 5 * 1024 ** 3

/** One container per session, through the Docker daemon. */
export function createDockerExecutor(options: DockerExecutorOptions): Executor {
  const { log, workspaceRoot, startTimeoutMs = 60_000, daemonTimeoutMs = 15_000, idleTimeoutMs = 300_000 } = options
  const user = containerUser(options.user, { uid: process.getuid?.() ?? 1, gid: process.getgid?.() ?? 1 })
  const daemon = createDaemon({ address: options.daemon, timeoutMs: daemonTimeoutMs })
  const directories = createDirectories(workspaceRoot)
  const workspaces = createSharedWorkspaces({ directories, ...options.workspaces }, user)
  const { maxCopyBytes = MAX_COPY_BYTES } = options.workspaces ?? {}
  const places = createPlaces({ root: workspaceRoot, directories, user, maxCopyBytes })
  const { discard, has: isDiscarded, retry } = createDiscarded({ daemon, log, timeoutMs: END_TIMEOUT_MS })
  const engines = new Map<string, SessionEngine>()
  /** By session, what they have less than all have. */
  const ownLimits = new Map<string, ContainerResources>()
  let started: { owner: string; image: string; version: string } | undefined
  const closing = new AbortController()
  let learning: Promise<void> = Promise.resolve()
  /** The session of the probe, while its container is there. */
  let probing: string | undefined
  let isClosed = false

  const { killTimeoutMs: _, ...stopping } = stopLimits(options.cancelGraceMs ?? 10_000)
  const watch = createContainerWatch({ daemon, owner: () => started?.owner, log })
  const starter = createEngineStarter({
    daemon: { ...daemon, exited: watch.exited },
    places,
    log,
    spec() {
      if (!started || isClosed) throw unavailable()
      return {
        ...started,
        user,
        network: options.network ?? 'none',
        runtime: options.runtime,
        limits: { ...defaultLimits, ...options.limits },
      }
    },
    ownLimits: (sessionId) => ownLimits.get(sessionId),
    config: options.config ?? {},
    providers: options.providers ?? [],
    permissions: options.permissions ?? unattended,
    openModels: options.openModels,
    engineLimits: { ...stopping, ...containedLimits, ...options.engineLimits },
    startTimeoutMs,
    endTimeoutMs: END_TIMEOUT_MS,
    discard,
    isDiscarded,
  })

  const warm = createWarmStarter({
    starter,
    directories,
    places,
    warmPool: options.warmPool,
    discard,
    hasRoom: () => slots.hasRoom(),
    onChange: () => slots.changed(),
    image: () => started?.image ?? '',
    log,
  })

  const slots = createContainerSlots({
    max: options.maxContainers ?? Number.POSITIVE_INFINITY,
    waitMs: options.containerWaitMs ?? 30_000,
    others: () => warm.count(),
    makeRoom: async () => (await warm.yield()) || (await endOldestIdle(engines.values())),
  })

  const engineOf = (sessionId: string): SessionEngine => {
    const known = engines.get(sessionId)
    if (known) return known
    const engine = createSessionEngine({
      log,
      sessionId,
      idleTimeoutMs,
      healthTimeoutMs: options.healthTimeoutMs ?? 20_000,
      onIdle: slots.changed,
      start: (onGone, signal) =>
        slots.within(() => warm.start(sessionId, onGone, signal), signal, warm.isAside(sessionId)),
      // It runs already.
      find: (onGone, signal) => slots.within(() => starter.find(sessionId, onGone, signal), signal, true),
    })
    engines.set(sessionId, engine)
    return engine
  }

  const placeOf = (sessionId: string): SessionPlace => ({
    directory: inside.workspace,
    shell: {
      directory: places.of(sessionId).shell,
      fromWorkspace: inside.shell,
      mark: `OPENCODE_GATEWAY_SESSION=${sessionId}`,
      owner: user,
      remove: (name) => removeInside(places.of(sessionId).shell, name),
    },
  })

  const free = async (sessionId: string, keep: 'nothing' | 'workspace'): Promise<void> => {
    const engine = engines.get(sessionId)
    await engine?.end(new ExecutorError('ENGINE_LOST', 'the session was released'))
    await engine?.close()
    // Not before: a container that could not be ended is ended by the next attempt.
    if (engines.get(sessionId) === engine) engines.delete(sessionId)
    ownLimits.delete(sessionId)
    await warm.drop(sessionId)
    await places.remove(sessionId)
    if (keep === 'nothing') await directories.remove(sessionId)
  }

  const hold = (
    sessionId: string,
    held: Pick<DockerSessionOptions, 'engineSessionId' | 'workspacePath' | 'attached' | 'log'>,
  ): AgentSession =>
    createDockerSession({
      ...held,
      daemon,
      engine: engineOf(sessionId),
      sessionId,
      place: placeOf(sessionId),
      ownLimits: ownLimits.get(sessionId) ?? {},
      free: (keep) => free(sessionId, keep),
    })

  /** A session of the engine in a workspace that is there. */
  const openIn = async (
    workspacePath: string,
    { sessionId, title }: Pick<SessionSpec, 'sessionId' | 'title'>,
    { signal, log }: CallContext,
  ): Promise<AgentSession> => {
    const { client, release } = await engineOf(sessionId).acquire(signal)
    try {
      const session = await client.openSession({ ...placeOf(sessionId), title }, signal)
      const { engineSessionId } = session
      return hold(sessionId, { log, engineSessionId, workspacePath, attached: { client, session } })
    } finally {
      release()
    }
  }

  /** Proves that a container comes up and its engine works: no other look at a daemon tells that. */
  const prove = async (signal: AbortSignal): Promise<string> => {
    const probeId = `probe-${randomUUID()}`
    const free = async (): Promise<void> => {
      await places.remove(probeId)
      await directories.remove(probeId)
    }
    try {
      await directories.create(probeId)
      const { client, end } = await starter.start(probeId, () => {}, signal)
      const over = (): Promise<void> => end(new ExecutorError('ENGINE_LOST', 'the probe is over')).finally(free)
      try {
        await client.probe(inside.workspace, signal)
        const { version } = await client.handshake(signal)
        // Nobody waits for it: an engine that takes in its whole catalogue may need seconds.
        probing = probeId
        learning = learnCatalogue({ client, options, catalogued: starter.catalogued, signal: closing.signal })
          .then(over)
          .catch((err: unknown) => log.error({ err }, 'the container of the probe could not be ended'))
          .finally(() => (probing = undefined))
        if (starter.catalogued.length === 0) await learning
        return version
      } catch (error) {
        await over()
        throw error
      }
    } catch (error) {
      await free()
      throw error
    }
  }

  const start = async (signal: AbortSignal): Promise<void> => {
    await directories.prepare()
    const { owner } = await places.prepare()
    await workspaces.clearLeftovers(log)
    await requireNewEnough(daemon, signal)
    const image = await provideImage(daemon, { reference: options.image, pull: options.pull ?? 'never', log }, signal)
    started = { owner, image, version: 'unknown' }
    try {
      started.version = await prove(signal)
    } catch (error) {
      started = undefined
      throw error
    }
    log.info({ daemon: daemon.address, image, version: started.version }, 'containers can be made')
    warm.open()
  }

  const check = createHealthCheck(async (signal) => {
    if (!started || isClosed) throw unavailable()
    const { image, version } = started
    await daemon.ping(signal)
    if (!(await daemon.findImage(image, signal))) {
      throw new ExecutorError(
        'IMAGE_UNAVAILABLE',
        `the engine image "${image}" is gone; build or pull it and start again`,
      )
    }
    // What hangs is not for those to wait for who ask whether the daemon is well.
    void retry()
    return { version, image }
  })

  return {
    name: 'docker',
    capabilities: {
      isolation: 'container',
      shell: true,
      followUps: true,
      survivesRestart: true,
      options: [
        ...agentOptions,
        ...containerOptions,
        ...(options.workspaces?.git ? repositoryOptions : []),
        ...(options.providers ? modelOptions : []),
      ],
    },
    workspaces: { ...workspaces, remove: (sessionId) => free(sessionId, 'nothing') },
    async start(signal) {
      if (isClosed) throw unavailable()
      if (!started) await start(signal)
    },
    async check(signal) {
      const health = await check(signal)
      const state = warm.state()
      return state ? { ...health, warm: state } : health
    },
    async open({ sessionId, title, fill = {}, onGit = () => {} }, ctx) {
      ctx.signal.throwIfAborted()
      if (!started || isClosed) throw unavailable()
      const { resources } = fill
      if (resources) ownLimits.set(sessionId, resources)
      // The limits of one that was started beforehand are those of all.
      const mayBeWarm = resources === undefined && (await directories.find(sessionId)) === undefined
      let isNew = mayBeWarm && (await warm.claim(sessionId, fill, ctx.signal))
      try {
        const { path, made } = await workspaces.open(sessionId, fill, ctx, onGit)
        isNew ||= made
        return await openIn(path, { sessionId, title }, ctx)
      } catch (error) {
        if (isNew) await free(sessionId, 'nothing')
        throw error
      }
    },
    async fork(source, { sessionId, title }, ctx) {
      const { signal, log } = ctx
      signal.throwIfAborted()
      if (!started || isClosed) throw unavailable()
      const forking = { workspaces, places, directories, engineOf: (id: string) => engines.get(id) }
      const { workspacePath, engineSessionId } = await forkSession(forking, source, sessionId, signal)
      if (source.ref) ownLimits.set(sessionId, limitsIn(source.ref))
      // A container comes with the first run.
      if (engineSessionId !== undefined) return hold(sessionId, { log, engineSessionId, workspacePath })
      try {
        return await openIn(workspacePath, { sessionId, title }, ctx)
      } catch (error) {
        await free(sessionId, 'nothing')
        throw error
      }
    },
    async attach(ref, { signal, log }) {
      const { session_id: sessionId, engine_session_id: engineSessionId } = ref
      if (ref.executor !== 'docker' || sessionId === undefined || engineSessionId === undefined) return undefined
      const workspacePath = await directories.find(sessionId)
      if (workspacePath === undefined || !(await places.exists(sessionId))) return undefined
      if (!started || isClosed) throw unavailable()
      ownLimits.set(sessionId, limitsIn(ref))
      const engine = engineOf(sessionId)
      await engine.adopt(signal)
      const client = engine.current()?.client
      // Where a container runs, a run may go on in it that is cancelled next.
      const session = await client?.attachSession({ ...placeOf(sessionId), engineSessionId }, signal)
      if (client && !session) return undefined
      const attached = client && session ? { attached: { client, session } } : {}
      return hold(sessionId, { log, engineSessionId, workspacePath, ...attached })
    },
    async sweep(live, { signal }) {
      if (!started) throw unavailable()
      const { owner } = started
      await retry()
      return await sweepSessions(
        {
          daemon,
          places,
          directories,
          owner,
          live: probing === undefined ? live : new Set([...live, probing]),
          isInUse: (id) => id === probing || warm.has(id) || (live.has(id) && engines.has(id)),
        },
        signal,
      )
    },
    async close() {
      isClosed = true
      closing.abort(unavailable())
      await learning
      await Promise.all([warm.close(), ...[...engines.values()].map((engine) => engine.close())])
      engines.clear()
      await watch.close()
    },
  }
}

/** False when all have work. */
async function endOldestIdle(engines: Iterable<SessionEngine>): Promise<boolean> {
  const idle = [...engines].filter((engine) => engine.idleSince() !== undefined)
  const [oldest] = idle.toSorted((one, other) => (one.idleSince() ?? 0) - (other.idleSince() ?? 0))
  return (await oldest?.rest(new ExecutorError('ENGINE_LOST', 'the place of the container was needed'))) ?? false
}

function unavailable(): ExecutorError {
  return new ExecutorError('EXECUTOR_UNAVAILABLE', 'the executor was not started or is closed')
}
