import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import type { Readable } from 'node:stream'
import { ExecutorError } from '@opencode-gateway/contracts'
import type { RemoteCall } from '../remote-call.ts'

export interface LfsRequest {
  method: 'GET' | 'POST' | 'PUT'
  url: URL
  headers: Readonly<Record<string, string>>
  body?: string | Readable
  signal: AbortSignal
}

/** Speaks HTTP to what a repository may be on, and nobody else. */
export interface LfsHttp extends Disposable {
  /** Follows nothing; whoever asks reads the answer to its end or destroys it. */
  send(request: LfsRequest): Promise<IncomingMessage>
}

/** By the rules for a repository at this URL: REPOSITORY_REFUSED. */
export type CallTo = (url: string) => Promise<RemoteCall>

const IDLE_MS = 60_000

/** Every host is resolved and checked once, and connected to at just these addresses. */
export function createLfsHttp(callTo: CallTo): LfsHttp {
  const calls = new Map<string, Promise<RemoteCall>>()
  const agents = new Map<string, HttpAgent | HttpsAgent>()

  async function callOf(url: URL): Promise<RemoteCall> {
    const known = calls.get(url.origin)
    if (known) return await known
    const call = checked(url, callTo)
    calls.set(url.origin, call)
    return await call
  }

  function agentOf(url: URL): HttpAgent | HttpsAgent {
    const agent =
      agents.get(url.origin) ?? new (url.protocol === 'https:' ? HttpsAgent : HttpAgent)({ keepAlive: true })
    agents.set(url.origin, agent)
    return agent
  }

  return {
    async send({ method, url, headers, body, signal }) {
      if (!/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
        throw refusedHost(url, 'it must be https without credentials in it')
      }
      const { addresses } = await callOf(url)
      const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
      const options = { method, headers, signal, lookup: pinned(addresses), agent: agentOf(url), timeout: IDLE_MS }
      const sent = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options)
      // It may fail again once it has failed, or been answered.
      sent.once('response', resolve).on('error', reject)
      sent.once('timeout', () => sent.destroy(new Error(`${url.host} was silent for ${IDLE_MS} ms`)))
      if (body === undefined || typeof body === 'string') sent.end(body)
      else body.once('error', (error) => sent.destroy(error)).pipe(sent)
      return await promise
    },
    [Symbol.dispose]() {
      for (const agent of agents.values()) agent.destroy()
    },
  }
}

async function checked(url: URL, callTo: CallTo): Promise<RemoteCall> {
  try {
    // The path of a transfer is nothing that a repository could have.
    return await callTo(`${url.origin}/lfs`)
  } catch (error) {
    if (error instanceof ExecutorError && error.code === 'REPOSITORY_REFUSED') throw refusedHost(url, error.message)
    throw error
  }
}

function refusedHost(url: URL, reason: string): ExecutorError {
  const text = `lfs: the files are said to be at "${url.protocol}//${url.host}", which is not taken: ${reason}`
  return new ExecutorError('REPOSITORY_REFUSED', text, { details: { field: 'lfs', reason } })
}

function pinned(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIP(address) }))
  return (_host, { all }, done) => {
    const [first] = found
    if (first === undefined) done(new Error('the host has no address'), '')
    else if (all === true) done(null, found)
    else done(null, first.address, first.family)
  }
}
