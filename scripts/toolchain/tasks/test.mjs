import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../child.mjs'
import { workspacePackages } from '../dependencies.mjs'
import { countsFile, sum } from '../test-counts.mjs'
import { say } from '../say.mjs'

// Two packages at a time: tests wait more than they work. More would make the deadlines of engines a matter of luck.
const FLAGS = ['--concurrency=2', '--continue=always', '--log-order=stream', '--log-prefix=task', '--output-logs=full']

/**
 * Tests of all packages (or of those that extra arguments for turbo select), then the sum as the last line.
 *
 * @type {import('./index.mjs').Task}
 */
export async function test({ root, args, env }) {
  const countsDir = mkdtempSync(join(tmpdir(), 'test-counts-'))
  try {
    const exit = await run(join(root, 'node_modules/.bin/turbo'), ['run', 'test', ...FLAGS, ...args], {
      cwd: root,
      env: { ...env, TEST_COUNTS_DIR: countsDir },
    })
    if ('signal' in exit) return exit
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
    return { code: exit.code === 0 && broken ? 1 : exit.code }
  } finally {
    rmSync(countsDir, { recursive: true, force: true })
  }
}

/** @param {string} root */
function packagesWithTests(root) {
  return workspacePackages(root).flatMap(({ dir, manifest: { name, scripts } }) =>
    dir !== '.' && name !== undefined && scripts?.test !== undefined ? [name] : [],
  )
}
