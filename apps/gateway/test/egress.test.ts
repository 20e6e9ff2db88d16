import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '@opencode-gateway/executor-testing'
import { createMetrics } from '../src/metrics/metrics.ts'
import { createEgress } from '../src/settings/egress.ts'
import { startGateway } from './gateway.ts'
import { readSamples } from './prometheus.ts'

const env = {
  EXECUTOR: 'docker',
  DOCKER_EGRESS: 'registry.example.com, *.b.test:8443',
  DOCKER_EGRESS_PRIVATE: 'c.test',
}

test('containers have a way out where one is set, and clients are told where it leads', async (t) => {
  const ask = async (settings: Record<string, string>) => {
    const { call, config } = await startGateway(t, { env: settings })
    const { limits } = (await call('GET', '/capabilities')).json() as { limits: { container?: { egress: string[] } } }
    const egress = createEgress(config, { log: silentLog, observe: () => {} })
    await egress?.close()
    return { told: limits.container?.egress, is: egress !== undefined }
  }
  assert.deepEqual(await ask(env), { told: ['registry.example.com', '*.b.test:8443', 'c.test'], is: true })
  assert.deepEqual(await ask({ EXECUTOR: 'docker' }), { told: [], is: false })
  assert.deepEqual(await ask({ ...env, EXECUTOR: 'server' }), { told: undefined, is: false })
})

test('ways out are counted by what became of them, and their bytes by direction', async () => {
  const { egress, render } = createMetrics({ process: false })
  egress.passed({ outcome: 'passed', sentBytes: 10, receivedBytes: 200 })
  egress.passed({ outcome: 'passed', sentBytes: 1, receivedBytes: 2 })
  egress.passed({ outcome: 'refused', sentBytes: 0, receivedBytes: 0 })
  const samples = readSamples(await render())
  const of = (name: string) => samples.get(`opencode_gateway_egress_${name}`)
  assert.deepEqual([of('connections_total{outcome="passed"}'), of('connections_total{outcome="refused"}')], [2, 1])
  assert.deepEqual([of('bytes_total{direction="sent"}'), of('bytes_total{direction="received"}')], [11, 202])
})
