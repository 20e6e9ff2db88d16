import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { ProviderFault } from '@opencode-gateway/contracts'
import { checkCall } from './check-call.ts'
import { Late, type Connections } from './connections.ts'
import { fieldsOf } from './fields.ts'
import { providerAddresses } from './provider-addresses.ts'
import { dialectOfProvider } from './slots.ts'
import { createUpstream, type Upstream } from './upstream.ts'

/** A provider as a run would call it. Holds a secret: it is never logged. */
export interface CheckedProvider {
  /** Name of a provider, which says how it is spoken to. */
  kind: string
  endpoint: string | undefined
  key: string | undefined
  model: string | undefined
}

export interface CheckResult {
  call: 'prompt' | 'models'
  latencyMs: number
  /** HTTP status of the answer; undefined when there was none. */
  status: number | undefined
  /** Undefined: it answered as it should. */
  fault: ProviderFault | undefined
}

export interface CheckOptions {
  /** Providers of the gateway, by name. */
  upstreams: ReadonlyMap<string, Upstream>
  connections: Connections
  /** Until the whole answer is there, milliseconds. */
  timeoutMs: number
  maxAnswerBytes: number
}

/**
 * Makes one call, which follows no redirect. Nothing of what the provider says is in the result: some repeat the key.
 * Rejects with the signal's reason only.
 */
export async function checkProvider(
  checked: CheckedProvider,
  { upstreams, connections, timeoutMs, maxAnswerBytes }: CheckOptions,
  signal: AbortSignal,
): Promise<CheckResult> {
  const { kind, endpoint, key, model } = checked
  const upstream = upstreamOf(checked, upstreams)
  const { call, method, path, headers, body } = checkCall(dialectOfProvider(kind), { key, model })
  const startedAt = performance.now()
  const result = (status: number | undefined, fault: ProviderFault | undefined): CheckResult => ({
    call,
    latencyMs: Math.round(performance.now() - startedAt),
    status,
    fault,
  })
  if (!upstream) return result(undefined, 'unreachable')
  const late = AbortSignal.timeout(timeoutMs)
  const given = AbortSignal.any([signal, late])
  let status: number | undefined
  try {
    const outgoing = connections.request({
      origin: upstream.origin,
      path: upstream.basePath + path,
      method,
      headers: endpoint === undefined ? { ...headers, ...upstream.headers } : headers,
      signal: given,
    })
    // What breaks while the answer is read, its reader is told as well.
    outgoing.on('error', () => {})
    outgoing.end(body)
    // One that waits for its connection does not tell that it was aborted.
    const [answer] = (await once(outgoing, 'response', { signal: given })) as [IncomingMessage]
    status = answer.statusCode ?? 0
    return result(status, faultOf(status, await readJson(answer, maxAnswerBytes)))
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (late.aborted || error instanceof Late) return result(status, 'timeout')
    return result(status, status === undefined && !isGarbage(error) ? 'unreachable' : 'bad_answer')
  }
}

/** The way a call of a run takes. */
function upstreamOf(
  { kind, endpoint }: CheckedProvider,
  upstreams: ReadonlyMap<string, Upstream>,
): Upstream | undefined {
  const address = endpoint ?? (upstreams.has(kind) ? undefined : providerAddresses[kind])
  return address === undefined ? upstreams.get(kind) : createUpstream(address)
}

/** Undefined for what is no JSON, or too long. */
async function readJson(body: AsyncIterable<Buffer>, maxBytes: number): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > maxBytes) return undefined
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    return undefined
  }
}

function faultOf(status: number, answer: unknown): ProviderFault | undefined {
  if (status === 401 || status === 403) return 'auth'
  // Google says so of a key that is none.
  if (status === 400 && JSON.stringify(answer ?? '').includes('API_KEY_INVALID')) return 'auth'
  if (status === 404) return 'not_found'
  if (status === 429) return 'rate_limited'
  if (status >= 500) return 'provider_error'
  if (status >= 400) return 'rejected'
  return status < 300 && Object.keys(fieldsOf(answer)).length > 0 ? undefined : 'bad_answer'
}

const isGarbage = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('HPE_')
