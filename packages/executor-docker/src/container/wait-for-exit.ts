import type { IncomingMessage } from 'node:http'
import type Docker from 'dockerode'

/**
 * Settles when the container has exited. dockerode's own `wait` listens only for the end of the answer: it settles
 * never when the daemon goes away or the connection is cut. This one rejects then.
 */
export function waitForExit(docker: Docker, id: string, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const request = {
    path: `/containers/${encodeURIComponent(id)}/wait?`,
    method: 'POST',
    isStream: true,
    abortSignal: signal,
    options: { condition: 'not-running' },
    statusCodes: { 200: true, 400: 'bad parameter', 404: 'no such container', 500: 'server error' },
  }
  docker.modem.dial(request, (error: unknown, answer: unknown) => {
    if (error) return reject(error instanceof Error ? error : new Error('the wait for a container failed'))
    const response = answer as IncomingMessage
    let text = ''
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => {
      text += chunk
    })
    response.on('end', () => (isWhole(text) ? resolve() : reject(new Error('the answer of a wait was cut off'))))
    response.on('error', reject)
    response.on('close', () => reject(new Error('the connection of a wait was closed')))
  })
  return promise
}

function isWhole(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
