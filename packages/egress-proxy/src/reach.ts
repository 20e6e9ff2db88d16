import type { Socket } from 'node:net'
import { dial } from './dial.ts'
import type { EgressLimits } from './limits.ts'
import { judge, type EgressPolicy } from './policy.ts'
import { Refusal } from './refusal.ts'
import { addressesOf, type Resolve } from './resolve.ts'
import type { Target } from './target.ts'

/** A connection to the target, if it may be connected to. Throws `Refusal`, and the reason of the signal. */
export type Reach = (target: Target, signal: AbortSignal) => Promise<Socket>

export interface ReachOptions {
  policy: EgressPolicy
  limits: EgressLimits
  resolve: Resolve
}

export function createReach({ policy, limits, resolve }: ReachOptions): Reach {
  return async (target, signal) => {
    const trust = judge(target, policy)
    const deadline = AbortSignal.timeout(limits.connectTimeoutMs)
    const within = AbortSignal.any([signal, deadline])
    try {
      const found = withSignal(addressesOf(target, trust, resolve, within), within)
      return await dial(await found, target, limits.connectTimeoutMs, within)
    } catch (error) {
      signal.throwIfAborted()
      if (!deadline.aborted || error instanceof Refusal) throw error
      const text = `The host "${target.host}" was not reached within ${limits.connectTimeoutMs} ms.`
      throw new Refusal(504, 'timed_out', text, { cause: error })
    }
  }
}

/** A lookup of the machine's own cannot be given up; whoever waits for it can. */
async function withSignal<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const given = Promise.withResolvers<never>()
  const giveUp = (): void => given.reject(signal.reason)
  if (signal.aborted) giveUp()
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    return await Promise.race([promise, given.promise])
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}
