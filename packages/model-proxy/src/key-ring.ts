import type { RunKeys } from '@opencode-gateway/contracts'

interface Held {
  key: string
  ended: boolean
}

/**
 * In the order in which runs are taken in. There are as many keys as open runs, whose number the store bounds, and one
 * for each session besides: none is ever pushed out by another.
 */
export function createKeyRing(): RunKeys {
  const sessions = new Map<string, Map<string, Held>>()
  const heldOf = ({ sessionId, runId }: { sessionId: string; runId: string }): Held | undefined =>
    sessions.get(sessionId)?.get(runId)

  return {
    keep({ sessionId, runId }, key) {
      const keys = sessions.get(sessionId) ?? new Map<string, Held>()
      sessions.set(sessionId, keys)
      keys.set(runId, { key, ended: false })
    },
    of: (run) => heldOf(run)?.key,
    end(run) {
      const held = heldOf(run)
      if (!held) return
      held.ended = true
      const keys = sessions.get(run.sessionId) ?? new Map<string, Held>()
      const ended = [...keys].filter(([, { ended }]) => ended)
      for (const [runId] of ended.slice(0, -1)) keys.delete(runId)
    },
    drop({ sessionId, runId }) {
      const keys = sessions.get(sessionId)
      if (runId === undefined) keys?.clear()
      else keys?.delete(runId)
      if (keys?.size === 0) sessions.delete(sessionId)
    },
  }
}
