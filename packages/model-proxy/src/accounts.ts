import type { AdmittedEngine, EngineModels } from '@opencode-gateway/contracts'

/** Which of our sessions a session of an engine works for. */
export interface Accounts extends Pick<EngineModels, 'assign' | 'release'> {
  /** Undefined when it works for none. Asks the engine for the parents of one that is not known. */
  find(engine: AdmittedEngine, engineSessionId: string, signal: AbortSignal): Promise<string | undefined>
}

/** Sub-agents may have sub-agents, so many in a row. */
const MAX_DEPTH = 16
/** Sub-agents that are remembered of one session; others are asked for again. */
const MAX_CHILDREN = 1_000

export function createAccounts(): Accounts {
  const roots = new Map<string, { sessionId: string; children: Set<string> }>()
  const rootOf = new Map<string, string>()

  const known = (engineSessionId: string): string | undefined =>
    roots.has(engineSessionId) ? engineSessionId : rootOf.get(engineSessionId)

  return {
    assign(engineSessionId, sessionId) {
      if (roots.get(engineSessionId)?.sessionId === sessionId) return
      roots.set(engineSessionId, { sessionId, children: new Set() })
    },
    release(engineSessionId) {
      for (const child of roots.get(engineSessionId)?.children ?? []) rootOf.delete(child)
      roots.delete(engineSessionId)
    },
    async find(engine, engineSessionId, signal) {
      const passed: string[] = []
      let id: string | undefined = engineSessionId
      for (let depth = 0; depth < MAX_DEPTH && id !== undefined; depth += 1) {
        const root = roots.get(known(id) ?? '')
        if (root) {
          const rootId = known(id) ?? ''
          for (const child of passed) {
            if (root.children.size >= MAX_CHILDREN) break
            root.children.add(child)
            rootOf.set(child, rootId)
          }
          return root.sessionId
        }
        passed.push(id)
        id = await engine.parentOf(id, signal)
      }
      return undefined
    },
  }
}
