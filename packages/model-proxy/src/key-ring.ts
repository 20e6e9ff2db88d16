import type { RunKeys } from '@opencode-gateway/contracts'

/**
 * There are as many keys as open runs, whose number the store bounds, and one for each open session besides: none is
 * ever pushed out by another.
 */
export function createKeyRing(): RunKeys {
  const runs = new Map<string, Map<string, string>>()
  const sessions = new Map<string, string>()

  return {
    keep({ sessionId, runId }, key) {
      const keys = runs.get(sessionId) ?? new Map<string, string>()
      runs.set(sessionId, keys.set(runId, key))
    },
    of: ({ sessionId, runId }) => runs.get(sessionId)?.get(runId),
    keepForSession: (sessionId, key) => void sessions.set(sessionId, key),
    ofSession: (sessionId) => sessions.get(sessionId),
    drop({ sessionId, runId }) {
      const keys = runs.get(sessionId)
      if (runId === undefined) {
        keys?.clear()
        sessions.delete(sessionId)
      } else keys?.delete(runId)
      if (keys?.size === 0) runs.delete(sessionId)
    },
  }
}
