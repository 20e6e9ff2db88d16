import { createModelProxy, splitSettings } from '@opencode-gateway/model-proxy'
import type { Log, ModelUsageTotals } from '@opencode-gateway/contracts'
import { serveBench } from './serve.ts'

/** The session that calls through the proxy name. */
const SESSION = 'ses_bench'

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }
const nothing: ModelUsageTotals = {
  calls: 0,
  tokens: { input: 0, output: 0, reasoning: 0, cache_read: 0, cache_write: 0 },
  costUsd: 0,
  unpriced: 0,
  uncounted: 0,
  estimated: 0,
  wallMs: 0,
}

await serveBench(async (settings) => {
  const { baseURL } = settings as { baseURL: string }
  const config = { provider: { paced: { npm: '@ai-sdk/openai-compatible', options: { baseURL, apiKey: 'key' } } } }
  const { upstreams } = splitSettings({
    settings: { config, auth: {}, environment: {} },
    providerOfVariable: {},
    readText: () => '',
  })
  const usageLog = {
    addUsage: async () => {},
    sumUsage: async () => nothing,
    reportUsage: async () => [],
    dropUsage: async () => 0,
  }
  const proxy = createModelProxy({ upstreams, usageLog, log: silent })
  await proxy.listen({ host: '127.0.0.1', port: 0 })
  const { providers } = proxy.engines.admit({ parentOf: async () => undefined })
  proxy.engines.assign(SESSION, 'bench')
  await proxy.runs.begin({ runId: 'run', sessionId: 'bench', tenant: 'bench', budget: {} }, () => {})
  const { baseURL: address, apiKey } = providers['paced'] ?? { baseURL: '', apiKey: '' }
  return { url: `${address}#${apiKey}`, close: () => proxy.close() }
})
