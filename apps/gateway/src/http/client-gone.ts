import type { ServerResponse } from 'node:http'

/** Aborts when the connection ends before the response does. */
export function clientGone(response: ServerResponse): Disposable & { signal: AbortSignal } {
  const gone = new AbortController()
  const abort = () => gone.abort()
  if (response.closed) abort()
  response.once('close', abort)
  return { signal: gone.signal, [Symbol.dispose]: () => void response.off('close', abort) }
}
