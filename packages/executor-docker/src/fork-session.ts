import { ExecutorError } from '@opencode-gateway/contracts'
import type { ForkSource } from '@opencode-gateway/contracts'
import type { Directories, OwnedWorkspaces } from '@opencode-gateway/workspaces'
import type { SessionEngine } from './engine/session-engine.ts'
import type { Places } from './session-place.ts'

export interface ForkDeps {
  workspaces: Pick<OwnedWorkspaces, 'copy'>
  places: Pick<Places, 'exists' | 'copy' | 'remove'>
  directories: Pick<Directories, 'remove'>
  /** Undefined where no container can be. */
  engineOf(sessionId: string): Pick<SessionEngine, 'end'> | undefined
}

/**
 * Copies a session that has no run: its workspace, and what its engine has of the conversation. The container of the
 * other session is ended first, so that nothing writes meanwhile; its next run gets another one. Nothing is left of a
 * copy that failed. ENGINE_LOST, and what copying a workspace throws.
 */
export async function forkSession(
  deps: ForkDeps,
  { sessionId: from, ref }: ForkSource,
  to: string,
  signal: AbortSignal,
): Promise<{ workspacePath: string; engineSessionId: string | undefined }> {
  const { workspaces, places, directories } = deps
  const engineSessionId = ref?.['engine_session_id']
  if (engineSessionId !== undefined && !(await places.exists(from))) throw lost(from)
  const ending = deps.engineOf(from)?.end(new ExecutorError('ENGINE_LOST', 'the session is copied'))
  await ending?.catch((cause: unknown) => {
    const text = `the container of session "${from}" could not be ended, so it cannot be copied`
    throw new ExecutorError('EXECUTOR_UNAVAILABLE', text, { cause })
  })
  const workspacePath = await workspaces.copy(from, to, signal)
  try {
    if (engineSessionId !== undefined) await places.copy(from, to, signal)
    return { workspacePath, engineSessionId }
  } catch (error) {
    await places.remove(to)
    await directories.remove(to)
    throw error
  }
}

function lost(sessionId: string): ExecutorError {
  return new ExecutorError('ENGINE_LOST', `there is nothing left of session "${sessionId}"`, { retryable: false })
}
