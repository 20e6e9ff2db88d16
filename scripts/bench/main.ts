// `npm run bench [-- name…] [--json FILE] [--strict] [--list] [--sessions N]`: measures, prints a table; a missed target is no failure.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { benches } from './benches.ts'
import type { Bench, Figure } from './bench.ts'
import { table, type Row } from './table.ts'

async function measure(bench: Bench, sessions: number | undefined, signal: AbortSignal): Promise<readonly Figure[]> {
  const directory = await mkdtemp(join(tmpdir(), `bench-${bench.name}-`))
  const cleanUps: (() => Promise<void> | void)[] = [() => rm(directory, { recursive: true, force: true })]
  const say = (line: string): void => console.error(`  ${line}`)
  try {
    return await bench.run({
      signal,
      directory,
      ...(sessions === undefined ? {} : { sessions }),
      say,
      after: (cleanUp) => cleanUps.push(cleanUp),
    })
  } finally {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp()
  }
}

function choose(names: readonly string[]): readonly Bench[] {
  const unknown = names.filter((name) => !benches.some((bench) => bench.name === name))
  if (unknown.length > 0) {
    throw new Error(`no bench "${unknown.join('", "')}"; there are: ${benches.map(({ name }) => name).join(', ')}`)
  }
  return benches.filter(({ name, byNameOnly = false }) => (names.length === 0 ? !byNameOnly : names.includes(name)))
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      strict: { type: 'boolean' },
      list: { type: 'boolean' },
      sessions: { type: 'string' },
    },
  })
  if (values.list === true) {
    for (const { name, describe } of benches) console.log(`${name.padEnd(18)} ${describe}`)
    return
  }
  const sessions = values.sessions === undefined ? undefined : Number(values.sessions)
  if (sessions !== undefined && !(Number.isInteger(sessions) && sessions > 0)) {
    throw new Error(`--sessions "${values.sessions}" is no number of sessions`)
  }
  const interrupted = new AbortController()
  process.once('SIGINT', () => interrupted.abort(new Error('interrupted')))
  const rows: Row[] = []
  for (const bench of choose(positionals)) {
    console.error(`${bench.name}: ${bench.describe}`)
    try {
      for (const figure of await measure(bench, sessions, interrupted.signal))
        rows.push({ bench: bench.name, ...figure })
    } catch (error) {
      if (interrupted.signal.aborted) throw error
      console.error(error)
      rows.push({ bench: bench.name, what: 'the bench itself', measured: `failed: ${String(error)}`, ok: false })
      process.exitCode = 1
    }
  }
  console.log(table(rows))
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report(rows), undefined, 2)}\n`)
  if (values.strict === true && rows.some(({ ok }) => ok === false)) process.exitCode = 1
}

function report(rows: readonly Row[]): object {
  return { at: new Date().toISOString(), node: process.version, cpus: availableParallelism(), figures: rows }
}

await main()
