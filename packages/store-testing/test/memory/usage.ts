import {
  noTotals,
  type ModelUsage,
  type ModelUsageTotals,
  type RaisedLimit,
  type UsageGroup,
  type UsageReportRow,
} from '@opencode-gateway/contracts'
import { limited, type Disk, type Steps } from './disk.ts'

const groupOf: Readonly<Record<UsageGroup, (usage: ModelUsage) => string>> = {
  run: ({ runId }) => runId,
  session: ({ sessionId }) => sessionId,
  key: ({ keyId, tenant }) => keyId || tenant,
  day: ({ day }) => day,
}

export function usageSteps(
  disk: Disk,
): Pick<Steps, 'addUsage' | 'sumUsage' | 'listRaised' | 'reportUsage' | 'dropUsage'> {
  return {
    addUsage: (usage) => void disk.usage.push(usage),
    sumUsage: (of) =>
      disk.usage
        .filter((row) => Object.entries(of).every(([name, value]) => Object(row)[name] === value))
        .reduce(add, noTotals),
    listRaised: ({ owner, id }) => disk.raised.filter((row) => row.owner === owner && row.id === id),
    reportUsage({ tenant, by, sessionId, runId, from = '', to = '9', limit }) {
      const rows = disk.usage.filter(
        (row) =>
          row.tenant === tenant &&
          row.calls > 0 &&
          row.day >= from &&
          row.day <= to &&
          (sessionId ?? row.sessionId) === row.sessionId &&
          (runId ?? row.runId) === row.runId &&
          (row.runId !== '' || by === 'key' || by === 'day'),
      )
      const groups = Map.groupBy(rows, (row) => `${groupOf[by](row)} ${row.model}`)
      const report = [...groups].map(([name, usages]): UsageReportRow => {
        const [group = '', model = ''] = name.split(' ')
        return { group, model, ...usages.reduce(add, noTotals) }
      })
      return limited(
        report.toSorted((a, b) => (`${a.group} ${a.model}` < `${b.group} ${b.model}` ? -1 : 1)),
        limit,
      )
    },
    dropUsage(before, limit) {
      const old = disk.usage.filter(({ runId, day }) => runId === '' && day < before)
      const dropped = new Set(
        limited(
          old.toSorted((a, b) => (a.day < b.day ? -1 : 1)),
          limit,
        ),
      )
      disk.usage = disk.usage.filter((row) => !dropped.has(row))
      return dropped.size
    },
  }
}

/** A raise for another day, or of another limit that was set, takes the place of the one before it. */
export function addRaised(disk: Disk, raised: RaisedLimit): void {
  const { owner, id, limit, day, configured } = raised
  const isOf = (row: RaisedLimit): boolean => row.owner === owner && row.id === id && row.limit === limit
  const before = disk.raised.find((row) => isOf(row) && row.day === day && row.configured === configured)
  disk.raised = disk.raised.filter((row) => !isOf(row))
  disk.raised.push({ ...raised, more: raised.more + (before?.more ?? 0) })
}

/** From now on the usage of the run is known by day alone. */
export function foldRun(disk: Disk, runId: string): void {
  disk.usage = disk.usage.map((row) => (row.runId === runId ? { ...row, runId: '', sessionId: '' } : row))
}

function add(one: ModelUsageTotals, other: ModelUsageTotals): ModelUsageTotals {
  const sum = (a: object, b: object): object =>
    Object.fromEntries(
      Object.entries(a).map(([name, value]) => {
        const more: unknown = Object(b)[name]
        return [name, typeof value === 'object' ? sum(value, Object(more)) : Number(value) + Number(more)]
      }),
    )
  return sum(one, other) as ModelUsageTotals
}
