import { performance } from 'node:perf_hooks'
import type { Log } from '@opencode-gateway/contracts'
import type { Outcome } from './refusal.ts'
import type { Target } from './target.ts'

/** What became of a connection, or of a request on one. */
export interface Passed {
  outcome: Outcome
  /** From the container to the host. */
  sentBytes: number
  /** From the host to the container. */
  receivedBytes: number
}

/** One connection or request, from where it is asked for to its end. */
export interface Passage {
  /** Where it goes to, once that is known. */
  leadsTo(target: Target): void
  /** It is over; only the first one counts. `reason` is what the container is told of a refusal. */
  end(passed: Partial<Passed> & Pick<Passed, 'outcome'> & { reason?: string }): void
}

export interface PassagesOptions {
  log: Log
  sessionId: string
  observe(passed: Passed): void
}

/** Hosts of one session that the log has as refused; others are not told of again. */
const MAX_TOLD = 100

/** A line of log for each, and a warning for the first of every host that was refused. */
export function createPassages({ log, sessionId, observe }: PassagesOptions): () => Passage {
  const told = new Set<string>()
  return () => {
    const startedAt = performance.now()
    let target: Target | undefined
    let isOver = false
    return {
      leadsTo({ host, port }) {
        // And nothing else that is asked for: a path may hold a secret.
        target = { host, port }
      },
      end({ outcome, sentBytes = 0, receivedBytes = 0, reason }) {
        if (isOver) return
        isOver = true
        const passed = { outcome, sentBytes, receivedBytes }
        observe(passed)
        const durationMs = Math.round(performance.now() - startedAt)
        log.debug({ sessionId, ...target, ...passed, durationMs }, 'a way out of a container is over')
        const { host, port } = target ?? {}
        if (outcome !== 'refused' || told.size >= MAX_TOLD || told.has(`${host}:${port}`)) return
        told.add(`${host}:${port}`)
        // npm and others show nothing of the answer but its 403.
        log.warn({ sessionId, host, port, reason }, 'a container asked for a host that it may not connect to')
      },
    }
  }
}
