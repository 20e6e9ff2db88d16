import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { expressions, metricNames } from './dashboard.ts'

const alerts = readFileSync(new URL('../../../docker/observability/alerts.yml', import.meta.url), 'utf8')

/** Every metric that alerts or the dashboard ask for is in an answer of GET /metrics, with the labels they ask for. */
export function assertExported(metrics: string): void {
  const asked = [...expressions().map(({ expression }) => expression), alerts]
  const told = new Set([...metrics.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name))
  const names = asked.flatMap(metricNames)
  assert.ok(names.length > 20)
  assert.deepEqual(
    names.filter((name) => !told.has(name)),
    [],
  )
  const labelled = asked.flatMap(labelsIn)
  assert.ok(labelled.length > 15)
  for (const { name, label } of labelled) {
    const sample = new RegExp(`^${name}(?:\\{(.*)\\})? `, 'm').exec(metrics)
    // What has not happened has none.
    if (sample) assert.match(sample[1] ?? '', new RegExp(`(?:^|,)${label}="`), `${name} has no label ${label}`)
  }
}

const METRIC = String.raw`(?:opencode_gateway|nodejs|process)_\w+`
/** Those are Prometheus' own. */
const ITS_OWN: ReadonlySet<string> = new Set(['instance', 'job'])

/** The labels that a text selects by, and those it sums by. */
function labelsIn(text: string): readonly { name: string; label: string }[] {
  const selected = [...text.matchAll(new RegExp(`(${METRIC})\\{([^}]*)\\}`, 'g'))].flatMap(
    ([, name = '', wanted = '']) =>
      [...wanted.matchAll(/(\w+)(?:=~?|!=|!~)"/g)].map(([, label = '']) => ({ name, label })),
  )
  const summed = [...text.matchAll(new RegExp(`by \\((\\w+)\\) \\((?:\\w+\\()*(${METRIC})`, 'g'))]
  return [...selected, ...summed.map(([, label = '', name = '']) => ({ name, label }))].filter(
    ({ label }) => !ITS_OWN.has(label),
  )
}
