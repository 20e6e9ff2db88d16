import type { AgentSession } from '@opencode-gateway/contracts'

/** A session that cases have one after the other, where each of its own would cost a container. */
export interface CommonSession {
  /** The one that is there, or the one that is opened. */
  get(open: () => Promise<AgentSession>): Promise<AgentSession>
  /** Nobody has it any more: the next case gets another one. */
  release(): Promise<void>
}

export function createCommonSession(): CommonSession {
  let current: AgentSession | undefined
  return {
    async get(open) {
      current ??= await open()
      return current
    },
    async release() {
      const released = current
      current = undefined
      await released?.release('nothing')
    },
  }
}
