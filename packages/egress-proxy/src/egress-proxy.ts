import { setMaxListeners } from 'node:events'
import type { Log } from '@opencode-gateway/contracts'
import { parseHostRules, type HostRule } from './host-rule.ts'
import { defaultEgressLimits, type EgressLimits } from './limits.ts'
import { listen, type Listener } from './listener.ts'
import { createPassages, type Passed } from './passage.ts'
import type { EgressPolicy } from './policy.ts'
import { createReach } from './reach.ts'
import { resolveName, type Resolve } from './resolve.ts'
import { createSlots } from './slots.ts'

export interface EgressProxyOptions {
  policy: EgressPolicy
  limits?: Partial<EgressLimits>
  log: Log
  /** For metrics. */
  observe?(passed: Passed): void
  /** How names are looked up; as this machine does unless given. */
  resolve?: Resolve
}

/** Leads containers to the hosts that are allowed, over HTTP and CONNECT. */
export interface EgressProxy {
  /**
   * A way out for one session: whoever connects there is that session. `only`: entries as in the setting that hosts come
   * from, to some of which this session may connect; to all that are allowed unless given.
   */
  openSocket(sessionId: string, path: string, only?: readonly string[]): Promise<{ close(): Promise<void> }>
  /** Breaks off everything that is under way; idempotent. */
  close(): Promise<void>
}

export function createEgressProxy({ policy, log, ...options }: EgressProxyOptions): EgressProxy {
  const limits = { ...defaultEgressLimits, ...options.limits }
  const { resolve = resolveName, observe = () => {} } = options
  const slots = createSlots(limits)
  const listeners = new Set<Listener>()
  return {
    async openSocket(sessionId, path, only) {
      const ending = new AbortController()
      // One for each tunnel, which are bounded.
      setMaxListeners(0, ending.signal)
      const way = {
        reach: createReach({ policy: { ...policy, only: only && read(only) }, limits, resolve }),
        limits,
        takeSlot: slots.ofSession(),
        begin: createPassages({ log, sessionId, observe }),
        over: ending.signal,
      }
      const listener = await listen(path, way, () => ending.abort(new Error('the session is over')))
      listeners.add(listener)
      return {
        async close() {
          if (listeners.delete(listener)) await listener.close()
        },
      }
    },
    async close() {
      const open = [...listeners]
      listeners.clear()
      await Promise.all(open.map((listener) => listener.close()))
    },
  }
}

function read(entries: readonly string[]): readonly HostRule[] {
  return entries.flatMap((entry) => {
    const parsed = parseHostRules(entry)
    if (parsed.status === 'refused') throw new Error(`the host "${parsed.entry}" of a session: ${parsed.why}`)
    return parsed.rules
  })
}
