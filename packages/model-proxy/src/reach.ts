import { Late } from './connections.ts'

/**
 * Whether a run has come through to the providers that it calls, by their origins. An engine calls again for more than a
 * minute after an error that may pass. That is worth its time to a run that has work to lose, and none to a run that
 * begins: it had better fail soon, and say why.
 */
export interface Reach {
  /** The provider has answered. */
  reached(origin: string): void
  /** No connection came about. True when the engine should not call again. */
  missed(origin: string): boolean
}

export interface ReachOptions {
  /** How long a run that has had no answer of a provider calls again, milliseconds. */
  patienceMs: number
  now(): number
}

/** One run calls few providers: their number is that of its models. */
export function createReach({ patienceMs, now }: ReachOptions): Reach {
  const origins = new Map<string, { reached: true } | { missedAt: number }>()
  return {
    reached: (origin) => void origins.set(origin, { reached: true }),
    missed(origin) {
      const known = origins.get(origin) ?? { missedAt: now() }
      origins.set(origin, known)
      return 'missedAt' in known && now() - known.missedAt >= patienceMs
    },
  }
}

/**
 * The engine (1.18.33) looks for words like "econnrefused", "fetch failed" and "503" in every error of a model, and calls
 * again where it finds one, whatever the status. None of these texts may have one.
 */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens at its address',
  ECONNRESET: 'its address breaks off what is begun',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'its host name cannot be looked up now',
  EHOSTUNREACH: 'no way leads to its address',
  ENETUNREACH: 'no way leads to its address',
  ETIMEDOUT: 'its address does not answer',
}

/** Why no connection came about, in words that name no address: clients read them. */
export function whyUnreached(error: Error): string {
  if (error instanceof Late) return 'its address does not answer'
  const code = 'code' in error ? String(error.code) : 'no code'
  return reasons[code] ?? `no connection with it comes about (${code})`
}
