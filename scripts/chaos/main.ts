// `npm run chaos [-- name…] [--rounds N] [--minutes N] [--seed N] [--json FILE] [--list]`: breaks things on purpose and
// checks what must hold. Durations are only reported; a promise that did not hold makes the exit code 1.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { table, type Row } from '../bench/table.ts'
import type { ChaosContext, Findings, Scenario } from './scenario.ts'
import { scenarios } from './scenarios.ts'

/** The rest is in the JSON. */
const violationsShown = 20
const exitCodeOfInterrupt = 130

type Asked = Pick<ChaosContext, 'signal' | 'rounds' | 'minutes' | 'seed'>

async function play(scenario: Scenario, asked: Asked): Promise<Findings> {
  const directory = await mkdtemp(join(tmpdir(), `chaos-${scenario.name}-`))
  const cleanUps: (() => Promise<void> | void)[] = [
    () => rm(directory, { recursive: true, force: true, maxRetries: 3 }),
  ]
  const say = (line: string): void => console.error(`  ${line}`)
  try {
    return await scenario.run({ ...asked, directory, say, after: (cleanUp) => cleanUps.push(cleanUp) })
  } finally {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp()
  }
}

function choose(names: readonly string[]): readonly Scenario[] {
  const unknown = names.filter((name) => !scenarios.some((scenario) => scenario.name === name))
  if (unknown.length > 0) {
    const known = scenarios.map(({ name }) => name).join(', ')
    throw new Error(`no scenario "${unknown.join('", "')}"; there are: ${known}`)
  }
  return names.length === 0 ? scenarios : scenarios.filter(({ name }) => names.includes(name))
}

function count(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (Number.isFinite(value) && value > 0) return value
  throw new Error(`--${name} must be a number above 0, not "${text}"`)
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rounds: text, minutes: text, seed: text, json: text, list: { type: 'boolean' } },
  })
  if (values.list === true) {
    for (const { name, describe } of scenarios) console.log(`${name.padEnd(20)} ${describe}`)
    return
  }
  const interrupted = new AbortController()
  for (const how of ['SIGINT', 'SIGTERM'] as const) process.once(how, () => interrupted.abort(new Error('interrupted')))
  const [rounds, minutes] = [count(values.rounds, 'rounds'), count(values.minutes, 'minutes')]
  const asked: Asked = {
    signal: interrupted.signal,
    rounds: (moderate) => rounds ?? moderate,
    minutes: (moderate) => minutes ?? moderate,
    seed: count(values.seed, 'seed') ?? (Date.now() % 1_000_000) + 1,
  }
  console.error(`seed ${asked.seed}`)
  const rows: Row[] = []
  const violations: string[] = []
  for (const scenario of choose(positionals)) {
    console.error(`${scenario.name}: ${scenario.describe}`)
    try {
      const found = await play(scenario, asked)
      rows.push(...found.figures.map((figure) => ({ bench: scenario.name, ...figure })))
      violations.push(...found.violations.map((violation) => `${scenario.name}: ${violation}`))
    } catch (error) {
      if (interrupted.signal.aborted) {
        console.error('interrupted')
        process.exitCode = exitCodeOfInterrupt
        break
      }
      console.error(error)
      rows.push({ bench: scenario.name, what: 'the scenario itself', measured: `failed: ${String(error)}`, ok: false })
      violations.push(`${scenario.name}: failed: ${String(error)}`)
    }
  }
  console.log(table(rows, 'scenario'))
  for (const violation of violations.slice(0, violationsShown)) console.log(`- ${violation}`)
  if (violations.length > violationsShown) console.log(`- and ${violations.length - violationsShown} more`)
  if (values.json !== undefined) {
    const report = {
      at: new Date().toISOString(),
      node: process.version,
      cpus: availableParallelism(),
      seed: asked.seed,
    }
    await writeFile(values.json, `${JSON.stringify({ ...report, figures: rows, violations }, undefined, 2)}\n`)
  }
  if (violations.length > 0) process.exitCode = 1
}

await main()
