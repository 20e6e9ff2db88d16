import { setTimeout as sleep } from 'node:timers/promises'
import type { TestContext } from 'node:test'
import type { Log, ProviderAccess } from '@opencode-gateway/contracts'
import { createModelProxy, type ModelProxy, type ModelProxyOptions } from '../src/index.ts'
import { createUpstream } from '../src/upstream.ts'

export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
}

export const KEY = 'key-of-the-provider'

export interface Scene {
  proxy: ModelProxy
  access: ProviderAccess
  refused: string[]
  /** Calls the provider through the proxy, as an engine would. */
  call(
    path: string,
    options?: { token?: string; body?: string | Buffer; headers?: Record<string, string> },
  ): Promise<Response>
}

/** A proxy in front of one provider, and an engine that was let in. */
export async function startScene(
  t: TestContext,
  address: string,
  options: Partial<ModelProxyOptions> = {},
): Promise<Scene> {
  const refused: string[] = []
  const proxy = createModelProxy({
    upstreams: new Map([['acme', createUpstream(address, { key: KEY, headers: { 'X-Config': 'of the operator' } })]]),
    log: silentLog,
    onRefused: (why) => refused.push(why),
    ...options,
  })
  t.after(() => proxy.close())
  await proxy.listen({ host: '127.0.0.1', port: 0 })
  const { providers } = proxy.engines.admit({ parentOf: async () => undefined })
  const access = providers['acme']
  if (!access) throw new Error('the provider is not there')
  return {
    proxy,
    access,
    refused,
    call: (path, { token = access.apiKey, body = '{"model":"m"}', headers = {} } = {}) =>
      fetch(access.baseURL + path, {
        method: 'POST',
        signal: t.signal,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : new Uint8Array(body),
      }),
  }
}

/** Settles once the condition holds; the test's own time limit is its deadline. */
export async function eventually(t: TestContext, holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5, undefined, { signal: t.signal })
}
