import { GatewayError, withSignal } from '@opencode-gateway/contracts'

/**
 * Settles when the gateway has found again what the one before it left: until then its sweep takes what has no row, or
 * came after its look at the rows, for a leftover. EXECUTOR_UNAVAILABLE when that takes longer than `timeoutMs`.
 */
export async function untilRecovered(
  recovered: Promise<void>,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<void> {
  try {
    await withSignal(recovered, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]))
  } catch {
    signal.throwIfAborted()
    const text = 'The gateway has not found again yet what it held before its start. Try again in a moment.'
    throw new GatewayError('EXECUTOR_UNAVAILABLE', text, { retryAfterMs: 5_000 })
  }
}
