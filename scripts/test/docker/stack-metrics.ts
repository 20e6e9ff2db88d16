import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { expressions, metricNames } from '../observability/dashboard.ts'

const alerts = readFileSync(new URL('../../../docker/observability/alerts.yml', import.meta.url), 'utf8')

/** A Prometheus is right when it reads the gateway, knows every metric that is looked at, and answers every panel. */
export async function assertObserves(t: TestContext, url: string): Promise<void> {
  const get = async (path: string): Promise<Record<string, unknown>> => {
    const response = await fetch(`${url}/api/v1/${path}`, { signal: t.signal })
    const text = await response.text()
    assert.equal(response.status, 200, `${path}: ${text}`)
    return Object(JSON.parse(text)).data
  }
  const query = async (expression: string): Promise<number> =>
    Object(await get(`query?query=${encodeURIComponent(expression)}`)).result.length

  // What is done and how it is are seen at the next scrape.
  for (const seen of [
    'up{job="opencode-gateway"} == 1',
    'opencode_gateway_engine_up == 1',
    'sum(opencode_gateway_runs_ended_total{outcome="completed"}) > 0',
  ])
    while ((await query(seen)) === 0) await sleep(500, undefined, { signal: t.signal })

  const known = new Set(Object.keys(await get('metadata')))
  const used = [...expressions().map(({ expression }) => expression), alerts].flatMap(metricNames)
  assert.ok(used.length > 20)
  assert.deepEqual(
    used.filter((name) => !known.has(name)),
    [],
  )
  for (const { expression } of expressions()) await query(expression.replaceAll('$__rate_interval', '1m'))

  const { groups }: { groups?: readonly { rules: readonly { name: string; lastError?: string }[] }[] } =
    await get('rules')
  const rules = groups?.flatMap((group) => group.rules) ?? []
  assert.deepEqual(
    rules.map(({ name }) => name),
    [...alerts.matchAll(/- alert: (\w+)/g)].map(([, name]) => name),
  )
  assert.deepEqual(
    rules.filter(({ lastError }) => lastError),
    [],
  )
}
