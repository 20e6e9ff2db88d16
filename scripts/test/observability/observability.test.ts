import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { docker, missing, standIns } from '../docker/docker.ts'
import { readDashboard } from './dashboard.ts'

const directory = fileURLToPath(new URL('../../../docker/observability/', import.meta.url))
const cases = fileURLToPath(new URL('alerts.yml', import.meta.url))
const OPTIONS = { timeout: 60_000, skip: await missing(standIns.prometheus) }

test('Prometheus takes its configuration, and every alert fires when it is to and not otherwise', OPTIONS, async () => {
  const promtool = (...args: readonly string[]) =>
    docker(
      'run',
      '--rm',
      '--network=none',
      '--volume',
      `${directory}:/etc/prometheus:ro`,
      '--volume',
      `${cases}:/cases.yml:ro`,
      '--entrypoint=promtool',
      standIns.prometheus,
      ...args,
    )
  const checked = await promtool('check', 'config', '/etc/prometheus/prometheus.yml')
  assert.equal(checked.code, 0, checked.stdout + checked.stderr)
  const tried = await promtool('test', 'rules', '/cases.yml')
  assert.equal(tried.code, 0, tried.stdout + tried.stderr)
  const alerts = namesIn(`${directory}alerts.yml`, /- alert: (\w+)/g)
  assert.deepEqual(
    alerts.filter((name) => !namesIn(cases, /alertname: (\w+)/g).includes(name)),
    [],
  )
})

test('the dashboard is one Grafana can show', () => {
  const { uid, title, schemaVersion, panels } = readDashboard()
  assert.deepEqual([uid, title], ['opencode-gateway', 'OpenCode Gateway'])
  assert.ok(schemaVersion >= 36)
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  const sources: { datasources: readonly { uid: string; url: string }[] } = parse(
    readFileSync(`${directory}grafana/provisioning/datasources/prometheus.yml`, 'utf8'),
  )
  const taken = new Set<string>()
  for (const { type, title, gridPos, datasource, targets = [] } of panels) {
    const { x, y, w, h } = gridPos
    assert.ok(x >= 0 && w > 0 && x + w <= 24 && h > 0, title)
    for (let row = y; row < y + h; row += 1)
      for (let column = x; column < x + w; column += 1) {
        assert.ok(!taken.has(`${column} ${row}`), `${title} lies on another panel`)
        taken.add(`${column} ${row}`)
      }
    if (type === 'row') continue
    assert.ok(['stat', 'timeseries'].includes(type), type)
    assert.ok(
      sources.datasources.some(({ uid }) => uid === datasource?.uid),
      title,
    )
    assert.ok(targets.length > 0, title)
    assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title)
  }
})

function namesIn(file: string, pattern: RegExp): readonly string[] {
  return [...readFileSync(file, 'utf8').matchAll(pattern)].map(([, name = '']) => name)
}
