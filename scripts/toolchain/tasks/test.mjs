import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, signalOf } from '../child.mjs'
import { workspacePackages } from '../dependencies.mjs'
import { countsFile, sum } from '../test-counts.mjs'
import { say } from '../say.mjs'

// Two packages at a time: tests wait more than they work, and more of them at once would make the deadlines of engines a
// matter of luck. Those that take longest come first, so that both lines end together.
const LINES = 2
const FLAGS = ['--concurrency=1', '--continue=always', '--log-order=stream', '--log-prefix=task', '--output-logs=full']
const LONGEST = ['gateway', 'executor-docker', 'executor-server', 'workspaces', 'scripts'].map(
  (name) => `@opencode-gateway/${name}`,
)

/**
 * Tests of all packages (or of those that extra arguments for turbo select), then the sum as the last line.
 *
 * @type {import('./index.mjs').Task}
 */
export async function test({ root, args, env }) {
  const countsDir = mkdtempSync(join(tmpdir(), 'test-counts-'))
  const compiledDir = mkdtempSync(join(tmpdir(), 'test-compiled-'))
  try {
    const turbo = join(root, 'node_modules/.bin/turbo')
    // Hundreds of processes import the same files: what Node makes of one is made once.
    const options = { cwd: root, env: { ...env, TEST_COUNTS_DIR: countsDir, NODE_COMPILE_CACHE: compiledDir } }
    const waiting = partsOf(root, args)
    /** @type {import('../say.mjs').Exit[]} */
    const exits = []
    const signalled = () => exits.map(signalOf).find((signal) => signal !== undefined)
    const line = async () => {
      for (let part = waiting.shift(); part && !signalled(); part = waiting.shift())
        exits.push(await run(turbo, ['run', 'test', ...FLAGS, ...part], options))
    }
    await Promise.all(Array.from({ length: LINES }, line))
    const signal = signalled()
    if (signal) return { signal }
    const code = exits.map((exit) => ('code' in exit ? exit.code : 1)).find((code) => code !== 0) ?? 0
    const silent =
      args.length > 0 ? [] : packagesWithTests(root).filter((name) => !existsSync(countsFile(countsDir, name)))
    if (silent.length > 0) say(`no result from ${silent.join(', ')}: the test run broke off, see above.`)

    const results = readdirSync(countsDir).map((name) => JSON.parse(readFileSync(join(countsDir, name), 'utf8')))
    for (const failure of results.flatMap(({ failures }) => failures))
      process.stdout.write(`FAILED ${failure.replace(`${root}/`, '')}\n`)
    const { passed, failed, skipped } = sum(results)
    if (passed + failed === 0) say('no test ran.')
    process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`)
    const broken = failed > 0 || silent.length > 0 || passed === 0 || (env.CI === 'true' && skipped > 0)
    return { code: code === 0 && broken ? 1 : code }
  } finally {
    for (const dir of [countsDir, compiledDir]) rmSync(dir, { recursive: true, force: true })
  }
}

/**
 * Arguments for turbo, one list for each part of the run, in the order in which they are begun.
 *
 * @param {string} root
 * @param {readonly string[]} args
 */
function partsOf(root, args) {
  const alone = LONGEST.filter((name) => packagesWithTests(root).includes(name))
  if (args.length > 0 || alone.length === 0) return [args]
  return [...alone.map((name) => [`--filter=${name}`]), alone.map((name) => `--filter=!${name}`)]
}

/** @param {string} root */
function packagesWithTests(root) {
  return workspacePackages(root).flatMap(({ dir, manifest: { name, scripts } }) =>
    dir !== '.' && name !== undefined && scripts?.test !== undefined ? [name] : [],
  )
}
