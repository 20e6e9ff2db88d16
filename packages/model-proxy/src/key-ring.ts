import type { RunKeys } from '@opencode-gateway/contracts'

export interface KeyRing extends RunKeys {
  of(run: { sessionId: string; runId: string }): string | undefined
}

/** Runs of one session whose keys are held; of more the oldest is forgotten. */
const MAX_RUNS = 1_000

export function createKeyRing(): KeyRing {
  const sessions = new Map<string, Map<string, string>>()
  const keep: KeyRing['keep'] = ({ sessionId, runId }, key) => {
    const keys = sessions.get(sessionId) ?? new Map<string, string>()
    sessions.set(sessionId, keys)
    keys.set(runId, key)
    const [oldest] = keys.keys()
    if (keys.size > MAX_RUNS && oldest !== undefined) keys.delete(oldest)
  }
  return {
    keep,
    share(run, withRunId) {
      const key = sessions.get(run.sessionId)?.get(withRunId)
      if (key !== undefined) keep(run, key)
    },
    drop({ sessionId, runId }) {
      const keys = sessions.get(sessionId)
      if (runId === undefined) keys?.clear()
      else keys?.delete(runId)
      if (keys?.size === 0) sessions.delete(sessionId)
    },
    of: ({ sessionId, runId }) => sessions.get(sessionId)?.get(runId),
  }
}
