/**
 * What an engine was given to do through its client. Where the client alone gives it work, the engine cannot be at work
 * on anything else: whatever began a run that is not here was another engine, which is gone.
 */
export interface GivenWork {
  /** A session was made in the directory. */
  opened(directory: string): void
  /** A run begins. */
  begins(run: { sessionId: string; directory: string }): void
  /** False when the engine cannot have begun anything in the session. */
  mayWork(sessionId: string): boolean
  /** False when the engine cannot have taken hold of the directory. */
  mayHold(directory: string): boolean
  /** The session is no longer in the engine. */
  forget(sessionId: string): void
}

export function createGivenWork({ exclusive }: { exclusive: boolean }): GivenWork {
  const sessions = new Set<string>()
  const directories = new Set<string>()
  return {
    opened: (directory) => void directories.add(directory),
    begins({ sessionId, directory }) {
      sessions.add(sessionId)
      directories.add(directory)
    },
    mayWork: (sessionId) => !exclusive || sessions.has(sessionId),
    mayHold: (directory) => !exclusive || directories.has(directory),
    forget: (sessionId) => void sessions.delete(sessionId),
  }
}
