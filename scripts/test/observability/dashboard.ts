import { readFileSync } from 'node:fs'

export interface Panel {
  id: number
  type: string
  title: string
  datasource?: { type: string; uid: string }
  gridPos: { x: number; y: number; w: number; h: number }
  targets?: readonly { refId: string; expr: string }[]
}

export interface Dashboard {
  uid: string
  title: string
  schemaVersion: number
  panels: readonly Panel[]
}

export function readDashboard(): Dashboard {
  const file = new URL('../../../docker/observability/grafana/dashboards/gateway.json', import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8'))
}

/** What the panels ask Prometheus. */
export function expressions(): readonly { panel: string; expression: string }[] {
  return readDashboard().panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ panel: title, expression: expr })),
  )
}

/** The metrics of the gateway and its process in a text, without what Prometheus makes of a histogram. */
export function metricNames(text: string): readonly string[] {
  const named = text.match(/\b(?:opencode_gateway|nodejs|process)_\w+/g) ?? []
  return [...new Set(named.map((name) => name.replace(/_(?:bucket|count|sum)$/, '')))]
}
