import type { Socket } from 'node:net'
import { ExecutorError } from '@opencode-gateway/contracts'
import type { Log, PermissionRules } from '@opencode-gateway/contracts'
import type { Catalogue } from './catalogue/catalogue.ts'
import { knownModels } from './catalogue/known-models.ts'
import { createEngineApi } from './engine-api.ts'
import { createEngineClock } from './engine-clock.ts'
import { EngineCallError, silence } from './engine-error.ts'
import { createEngineSession } from './engine-session.ts'
import type { EngineSession } from './engine-session.ts'
import { createEventHub } from './event-hub.ts'
import { followEvents } from './event-stream.ts'
import { untilFlowing } from './until-flowing.ts'
import { createGivenWork } from './given-work.ts'
import { defaultLimits } from './limits.ts'
import type { EngineLimits } from './limits.ts'
import { readFrame } from './read-event.ts'
import { gatewayRules } from './permission-policy.ts'
import type { EngineRule } from './permission-policy.ts'
import type { SessionContext } from './session-context.ts'
import { createSessionAsks } from './session-asks.ts'
import { createSessionRules } from './session-rules.ts'
import type { ShellPlace } from './shell-spool.ts'
import type { SessionProcesses } from './stop-session.ts'
import { createTransport } from './transport.ts'

export interface EngineClientOptions {
  baseUrl: string
  username: string
  password: string
  log: Log
  limits?: Partial<EngineLimits>
  /** Opens a connection to the engine, where the base URL does not lead to it. */
  connect?: (signal: AbortSignal) => Promise<Socket>
  /** What agents may do at most. */
  permissions: PermissionRules
  /** The engine's configuration says the same as `permissions`. Otherwise every session is told them. */
  configured: boolean
  /** Ends the engine by force, when a session cannot be made to stop. Absent: the engine is not ours to end. */
  end?: (why: string) => Promise<void>
  /** The engine was started for this client, which alone gives it work; false unless given. */
  exclusive?: boolean
}

/** Where a session works. */
export interface SessionPlace {
  directory: string
  /** Absent: the session runs no commands. */
  shell?: ShellPlace
  /** Absent: the processes of the session cannot be seen from here. */
  processes?: SessionProcesses
}

/** Drives one OpenCode server. */
export interface EngineClient {
  /**
   * Makes sure that a server of the supported line is there and that it takes our credentials. Throws
   * ENGINE_INCOMPATIBLE or EXECUTOR_UNAVAILABLE with a text that says what to do.
   */
  handshake(signal: AbortSignal): Promise<{ version: string }>
  /** Proves that the engine works: makes a session in the directory and removes it. */
  probe(directory: string, signal: AbortSignal): Promise<void>
  /** The models of the providers in use whose prices the engine knows. */
  catalogue(directory: string, signal: AbortSignal): Promise<Catalogue>
  openSession(place: SessionPlace & { title: string }, signal: AbortSignal): Promise<EngineSession>
  /** A session of its own with the conversation of another one, which does not work; undefined when that one is gone. */
  forkSession(
    place: SessionPlace & { title: string; engineSessionId: string },
    signal: AbortSignal,
  ): Promise<EngineSession | undefined>
  /** The session the engine has under this id, or undefined. */
  attachSession(
    place: SessionPlace & { engineSessionId: string },
    signal: AbortSignal,
  ): Promise<EngineSession | undefined>
  /** The session that the given one works for as a sub-agent; undefined when there is none, or no such session. */
  parentOf(engineSessionId: string, signal: AbortSignal): Promise<string | undefined>
  /** Frees what the engine holds in memory for a directory that is no longer worked in. */
  disposeDirectory(directory: string, signal: AbortSignal): Promise<void>
  /** The engine is known to be gone: its runs end at once with this error. */
  fail(error: ExecutorError): void
  close(): Promise<void>
}

const SUPPORTED = /^1\.(\d+)\.(\d+)/

export function createEngineClient(options: EngineClientOptions): EngineClient {
  const { baseUrl, log } = options
  const limits = { ...defaultLimits, ...options.limits }
  const transport = createTransport({ ...options, ...limits })
  const api = createEngineApi({ baseUrl, transport, callTimeoutMs: limits.callTimeoutMs })
  const clock = createEngineClock()
  const hub = createEventHub(limits.maxQueued)
  const closing = new AbortController()
  let stream: Promise<void> | undefined
  let wasConnected = false
  let flowing = Promise.withResolvers<void>()
  let failure: ExecutorError | undefined
  let lostTimer: NodeJS.Timeout | undefined

  const fail = (error: ExecutorError): void => {
    failure = error
    hub.lost(error)
  }

  /** The stream is opened by the first run, and then stands until the client closes. */
  const streaming = async (stir: () => Promise<unknown>, signal: AbortSignal): Promise<void> => {
    if (failure) throw failure
    stream ??= followEvents(
      {
        ...limits,
        log,
        open: (signal) => transport.stream('/global/event', signal),
        onFrame(frame, size) {
          const event = readFrame(frame)
          if (event) hub.deliver(event, size)
        },
        onConnected() {
          clearTimeout(lostTimer)
          lostTimer = undefined
          if (wasConnected) hub.gap()
        },
        onFlowing() {
          flowing.resolve()
          if (wasConnected) hub.gap()
          wasConnected = true
        },
        onDisconnected(error) {
          flowing = Promise.withResolvers()
          lostTimer ??= setTimeout(() => hub.lost(lost(error)), limits.lostAfterMs)
        },
      },
      closing.signal,
    )
    const within = AbortSignal.any([signal, AbortSignal.timeout(limits.lostAfterMs)])
    try {
      await untilFlowing(() => flowing.promise, stir, within)
    } catch (error) {
      signal.throwIfAborted()
      throw silence('the event stream', error)
    }
  }

  const given = createGivenWork({ exclusive: options.exclusive ?? false })
  const common = { api, hub, clock, limits, log, streaming, given, endEngine: options.end }
  const gateway = options.permissions
  const rules = gatewayRules(gateway)
  const session = (
    { directory, shell, processes }: SessionPlace,
    {
      sessionId,
      title,
      isNew,
      present,
    }: Pick<SessionContext, 'sessionId' | 'title' | 'isNew'> & { present: readonly EngineRule[] },
  ): EngineSession => {
    const asks = createSessionAsks({ api, sessionId, directory, gateway })
    const sessionRules = createSessionRules({
      api,
      sessionId,
      directory,
      gateway: rules,
      configured: options.configured,
      present,
    })
    return createEngineSession({
      ...common,
      sessionId,
      title,
      isNew,
      directory,
      shell,
      processes,
      asks,
      rules: sessionRules,
    })
  }

  const attach: EngineClient['attachSession'] = async (place, signal) => {
    const found = await api.findSession(place.engineSessionId, signal)
    if (!found || found.directory !== place.directory) return undefined
    const { title, rules: present } = found
    return session(place, { sessionId: place.engineSessionId, title, isNew: false, present })
  }

  return {
    fail,
    async handshake(signal) {
      const version = await api.version(signal)
      if (version !== undefined && SUPPORTED.test(version)) return { version }
      const found = version === undefined ? 'does not tell its version' : `is of version "${version}"`
      const message = `the engine at ${new URL(baseUrl).origin} ${found}; an OpenCode server of the 1.x line is needed`
      throw new EngineCallError({ code: 'ENGINE_INCOMPATIBLE', message })
    },
    async probe(directory, signal) {
      const { id } = await api.createSession({ directory, title: 'readiness', rules: [] }, signal)
      given.opened(directory)
      await api.deleteSession(id, signal)
    },
    async catalogue(directory, signal) {
      return knownModels(await api.providers(directory, signal))
    },
    async openSession(place, signal) {
      const { directory, title } = place
      const told = options.configured ? [] : rules
      const { id: sessionId, createdAt } = await api.createSession({ directory, title, rules: told }, signal)
      clock.set(createdAt)
      given.opened(directory)
      return session(place, { sessionId, title, isNew: true, present: told })
    },
    async forkSession({ engineSessionId, ...place }, signal) {
      const { directory, title } = place
      const sessionId = await api.forkSession(engineSessionId, signal)
      if (sessionId === undefined) return undefined
      try {
        await api.moveSession({ sessionId, directory, title }, signal)
        given.opened(directory)
        const forked = await attach({ ...place, engineSessionId: sessionId }, signal)
        if (forked) return forked
        const message = 'the engine did not move a fork to the directory it is to work in'
        throw new EngineCallError({ code: 'ENGINE_INCOMPATIBLE', message })
      } catch (error) {
        await api.deleteSession(sessionId, AbortSignal.timeout(limits.lastCallMs)).catch((err: unknown) => {
          log.warn({ sessionId, err }, 'a fork that failed could not be removed from the engine')
        })
        throw error
      }
    },
    parentOf: async (engineSessionId, signal) => (await api.findSession(engineSessionId, signal))?.parentId,
    attachSession: attach,
    async disposeDirectory(directory, signal) {
      // The engine would first take hold of one that it does not know.
      if (given.mayHold(directory)) await api.disposeDirectory(directory, signal)
    },
    async close() {
      clearTimeout(lostTimer)
      closing.abort(new Error('the client of the engine is closed'))
      fail(new ExecutorError('ENGINE_LOST', 'the connection to the engine was closed'))
      await stream
      transport.close()
    },
  }
}

function lost(cause: unknown): ExecutorError {
  return new ExecutorError('ENGINE_LOST', 'the engine could not be reached any more', { cause })
}
