import type { AgentSession, Log } from '@opencode-gateway/contracts'
import { createAgentSession } from '@opencode-gateway/opencode'
import type { EngineClient, EngineSession, SessionPlace } from '@opencode-gateway/opencode'
import type { Directories } from '@opencode-gateway/workspaces'
import type { EngineSource } from './engine-source.ts'

export interface ServerSessionOptions {
  source: EngineSource
  directories: Directories
  log: Log
  sessionId: string
  place: SessionPlace
  client: EngineClient
  session: EngineSession
  releaseTimeoutMs: number
  onReleased(engineSessionId: string): void
}

/** A session of the engine that all sessions share. */
export function createServerSession(options: ServerSessionOptions): AgentSession {
  const { directories, source, sessionId, place, client, session } = options
  const { engineSessionId } = session
  const { remove, ...backed } = createAgentSession({ source, place, engineSessionId, attached: { client, session } })
  let released = false

  return {
    ...backed,
    ref: {
      executor: 'server',
      session_id: sessionId,
      engine_session_id: engineSessionId,
      directory: place.directory,
    },
    workspacePath: place.directory,
    async release(keep) {
      if (released) return
      released = true
      try {
        await remove(AbortSignal.timeout(options.releaseTimeoutMs))
      } catch (err) {
        // A dead engine holds nothing; its files are ours to remove all the same.
        options.log.warn({ sessionId, err }, 'the session could not be removed from the engine')
      }
      options.onReleased(engineSessionId)
      if (keep === 'nothing') await directories.remove(sessionId)
    },
  }
}
