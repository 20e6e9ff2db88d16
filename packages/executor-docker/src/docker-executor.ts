import type { ContainerResources, Executor } from '@opencode-gateway/contracts'
import { agentOptions, containerOptions, modelOptions, repositoryOptions } from '@opencode-gateway/contracts'
import { stopLimits, unattended } from '@opencode-gateway/opencode'
import { createDirectories } from '@opencode-gateway/workspaces'
import { createContainerSessions } from './container-sessions.ts'
import { createContainerWatch } from './container/container-watch.ts'
import { createDaemon } from './daemon/daemon.ts'
import { createDiscarded } from './container/discard.ts'
import { forkSession } from './fork-session.ts'
import { createHealthCheck } from './health-check.ts'
import { createProbe } from './engine/probe.ts'
import { containedLimits, defaultLimits } from './options.ts'
import type { DockerExecutorOptions } from './options.ts'
import { limitsIn, ofContainer } from './container/own-limits.ts'
import { createSessionEngines } from './engine/session-engines.ts'
import { createSharedWorkspaces } from './shared-workspaces.ts'
import { createPlaces, writableBeside } from './session-place.ts'
import { createEngineStarter } from './engine/start-engine.ts'
import { createStartTurns } from './engine/start-turns.ts'
import { createStartup, unavailable } from './startup.ts'
import { sweepSessions } from './sweep.ts'
import { containerUser } from './container/container-user.ts'
import { createWarmStarter } from './warm/warm-starter.ts'

const END_TIMEOUT_MS = 10_000
const MAX_COPY_BYTES = 5 * 1024 ** 3

/** One container per session, through the Docker daemon. */
export function createDockerExecutor(options: DockerExecutorOptions): Executor {
  const { log, workspaceRoot, startTimeoutMs = 60_000, daemonTimeoutMs = 15_000, idleTimeoutMs = 300_000 } = options
  const user = containerUser(options.user, { uid: process.getuid?.() ?? 1, gid: process.getgid?.() ?? 1 })
  const daemon = createDaemon({ address: options.daemon, timeoutMs: daemonTimeoutMs })
  const directories = createDirectories(workspaceRoot)
  const { maxCopyBytes = MAX_COPY_BYTES } = options.workspaces ?? {}
  const places = createPlaces({ root: workspaceRoot, directories, user, maxCopyBytes })
  const besideOf = (sessionId: string): readonly string[] => writableBeside(places.of(sessionId))
  const workspaces = createSharedWorkspaces({ directories, ...options.workspaces, besideOf }, user)
  const { discard, has: isDiscarded, retry } = createDiscarded({ daemon, log, timeoutMs: END_TIMEOUT_MS })
  const ownLimits = new Map<string, ContainerResources>()
  const closing = new AbortController()

  const { killTimeoutMs: _, ...stopping } = stopLimits(options.cancelGraceMs ?? 10_000)
  const startup = createStartup({
    daemon,
    directories,
    places,
    workspaces,
    executor: options,
    prove: (signal) => probe.prove(signal),
    onStarted: () => warm.open(),
    retry,
    closing: closing.signal,
  })
  const watch = createContainerWatch({ daemon, owner: () => startup.started()?.owner, log })
  const starter = createEngineStarter({
    daemon: { ...daemon, exited: watch.exited },
    places,
    log,
    spec() {
      return {
        ...startup.require(),
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
    openEgress: options.openEgress,
    engineLimits: { ...stopping, ...containedLimits, ...options.engineLimits },
    renewImage: startup.renewImage,
    turns: createStartTurns(options.maxStarts ?? Number.POSITIVE_INFINITY),
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
    hasRoom: () => engines.hasRoom(),
    onChange: () => engines.changed(),
    image: () => startup.started()?.image ?? '',
    log,
  })

  const engines = createSessionEngines({
    starter,
    warm,
    maxContainers: options.maxContainers ?? Number.POSITIVE_INFINITY,
    containerWaitMs: options.containerWaitMs ?? 30_000,
    idleTimeoutMs,
    healthTimeoutMs: options.healthTimeoutMs ?? 20_000,
    healthFreshMs: options.healthFreshMs ?? 1_000,
    log,
  })

  const probe = createProbe({ starter, places, directories, executor: options, closed: unavailable })

  const sessions = createContainerSessions({ daemon, engines, warm, places, directories, user, ownLimits })

  const check = createHealthCheck(startup.check)

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
    workspaces: { ...workspaces, remove: (sessionId) => sessions.free(sessionId, 'nothing') },
    start: startup.start,
    async check(signal) {
      const health = await check(signal)
      const state = warm.state()
      return state ? { ...health, warm: state } : health
    },
    async open({ sessionId, title, fill = {}, onGit = () => {}, onWaiting }, ctx) {
      ctx.signal.throwIfAborted()
      startup.require()
      const own = ofContainer(fill.resources)
      if (own) ownLimits.set(sessionId, own)
      // The limits of one that was started beforehand are those of all.
      const mayBeWarm = own === undefined && (await directories.find(sessionId)) === undefined
      let isNew = mayBeWarm && (await warm.claim(sessionId, fill, ctx.signal))
      try {
        const { path, made } = await workspaces.open(sessionId, fill, ctx, onGit)
        isNew ||= made
        return await sessions.open(path, { sessionId, title, ...(onWaiting ? { onWaiting } : {}) }, ctx)
      } catch (error) {
        if (isNew) await sessions.free(sessionId, 'nothing')
        throw error
      }
    },
    async fork(source, { sessionId, title }, ctx) {
      const { signal, log } = ctx
      signal.throwIfAborted()
      startup.require()
      const forking = { workspaces, places, directories, engineOf: engines.find }
      const { workspacePath, engineSessionId } = await forkSession(forking, source, sessionId, signal)
      // The ref of one that was never opened tells of none.
      const own = ofContainer(source.resources) ?? (source.ref && limitsIn(source.ref))
      if (own) ownLimits.set(sessionId, own)
      // A container comes with the first run.
      if (engineSessionId !== undefined) return sessions.hold(sessionId, { log, engineSessionId, workspacePath })
      try {
        return await sessions.open(workspacePath, { sessionId, title }, ctx)
      } catch (error) {
        await sessions.free(sessionId, 'nothing')
        throw error
      }
    },
    async attach(ref, { signal, log }) {
      const { session_id: sessionId, engine_session_id: engineSessionId } = ref
      if (ref.executor !== 'docker' || sessionId === undefined || engineSessionId === undefined) return undefined
      const workspacePath = await directories.find(sessionId)
      if (workspacePath === undefined || !(await places.exists(sessionId))) return undefined
      startup.require()
      ownLimits.set(sessionId, limitsIn(ref))
      const engine = engines.of(sessionId)
      await engine.adopt(signal)
      const client = engine.current()?.client
      // Where a container runs, a run may go on in it that is cancelled next.
      const session = await client?.attachSession({ ...sessions.placeOf(sessionId), engineSessionId }, signal)
      if (client && !session) return undefined
      const attached = client && session ? { attached: { client, session } } : {}
      return sessions.hold(sessionId, { log, engineSessionId, workspacePath, ...attached })
    },
    async sweep(live, { signal }) {
      const { owner } = startup.require()
      const probing = probe.sessionId()
      await retry()
      return await sweepSessions(
        {
          daemon,
          places,
          directories,
          owner,
          live: probing === undefined ? live : new Set([...live, probing]),
          isInUse: (id) => id === probing || warm.has(id) || (live.has(id) && engines.find(id) !== undefined),
        },
        signal,
      )
    },
    async close() {
      closing.abort(unavailable())
      await probe.close()
      await Promise.all([warm.close(), engines.close()])
      await watch.close()
    },
  }
}
