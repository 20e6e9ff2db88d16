import { ExecutorError } from '@opencode-gateway/contracts'
import type { AgentSession, CallContext, ContainerResources, SessionSpec } from '@opencode-gateway/contracts'
import type { SessionPlace } from '@opencode-gateway/opencode'
import { removeInside, type Directories } from '@opencode-gateway/workspaces'
import type { Daemon } from './daemon/daemon.ts'
import { createDockerSession, type DockerSessionOptions } from './docker-session.ts'
import { inside } from './container/inside.ts'
import { orDiskFull } from './full-disk.ts'
import type { ContainerUser } from './options.ts'
import type { SessionEngines } from './engine/session-engines.ts'
import type { Places } from './session-place.ts'
import type { WarmStarter } from './warm/warm-starter.ts'

export interface ContainerSessionsOptions {
  daemon: Daemon
  engines: SessionEngines
  warm: Pick<WarmStarter, 'drop'>
  places: Places
  directories: Directories
  user: ContainerUser
  /** By session, what they have less than all have. */
  ownLimits: Map<string, ContainerResources>
}

/** Sessions, each with an engine and a workspace of its own. */
export interface ContainerSessions {
  placeOf(sessionId: string): SessionPlace
  /** A session of the engine in a workspace that is there. */
  open(
    workspacePath: string,
    spec: Pick<SessionSpec, 'sessionId' | 'title' | 'onWaiting'>,
    ctx: CallContext,
  ): Promise<AgentSession>
  /** One that the engine has, or will have found again. */
  hold(
    sessionId: string,
    held: Pick<DockerSessionOptions, 'engineSessionId' | 'workspacePath' | 'attached' | 'log'>,
  ): AgentSession
  /** Ends the container, and removes all it had but what is to be kept. */
  free(sessionId: string, keep: 'nothing' | 'workspace'): Promise<void>
}

export function createContainerSessions(options: ContainerSessionsOptions): ContainerSessions {
  const { daemon, engines, warm, places, directories, user, ownLimits } = options

  const placeOf: ContainerSessions['placeOf'] = (sessionId) => ({
    directory: inside.workspace,
    shell: {
      directory: places.of(sessionId).shell,
      fromWorkspace: inside.shell,
      mark: `OPENCODE_GATEWAY_SESSION=${sessionId}`,
      owner: user,
      remove: (name) => removeInside(places.of(sessionId).shell, name),
    },
  })

  const writtenBy = (sessionId: string): readonly string[] => [
    places.of(sessionId).workspace,
    places.of(sessionId).home,
  ]

  const free: ContainerSessions['free'] = async (sessionId, keep) => {
    const engine = engines.find(sessionId)
    await engine?.end(new ExecutorError('ENGINE_LOST', 'the session was released'))
    await engine?.close()
    // Not before: a container that could not be ended is ended by the next attempt.
    engines.forget(sessionId, engine)
    ownLimits.delete(sessionId)
    await warm.drop(sessionId)
    await places.remove(sessionId)
    if (keep === 'nothing') await directories.remove(sessionId)
  }

  const hold: ContainerSessions['hold'] = (sessionId, held) =>
    createDockerSession({
      ...held,
      daemon,
      engine: engines.of(sessionId),
      sessionId,
      place: placeOf(sessionId),
      written: writtenBy(sessionId),
      ownLimits: ownLimits.get(sessionId) ?? {},
      free: (keep) => free(sessionId, keep),
    })

  return {
    placeOf,
    hold,
    free,
    async open(workspacePath, { sessionId, title, onWaiting }, { signal, log }) {
      try {
        const { client, release } = await engines.of(sessionId).begin(signal, onWaiting)
        try {
          const session = await client.openSession({ ...placeOf(sessionId), title }, signal)
          const { engineSessionId } = session
          return hold(sessionId, { log, engineSessionId, workspacePath, attached: { client, session } })
        } finally {
          release()
        }
      } catch (error) {
        throw error instanceof ExecutorError ? await orDiskFull(error, writtenBy(sessionId)) : error
      }
    },
  }
}
