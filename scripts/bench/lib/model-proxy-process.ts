import { createModelProxy, splitSettings } from '@opencode-gateway/model-proxy'
import { noTotals, type Log } from '@opencode-gateway/contracts'
import { serveBench } from './serve.ts'

/** The session that calls through the proxy name. */
const SESSION = 'ses_bench'

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

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
    sumUsage: async () => noTotals,
    listRaised: async () => [],
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
