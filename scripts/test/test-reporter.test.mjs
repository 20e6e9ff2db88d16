import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import { countsFile } from '../toolchain/test-counts.mjs'
import { tempDir } from './temp-dir.mjs'

const reporter = fileURLToPath(new URL('../test-reporter.mjs', import.meta.url))
const imports = `import { describe, test } from 'node:test'\n`

/**
 * @param {import('node:test').TestContext} t
 * @param {string | undefined} source of the one test file
 * @param {{ ci?: boolean }} [options]
 */
function runTests(t, source, { ci = false } = {}) {
  const cwd = tempDir(t, source === undefined ? {} : { 'a.test.mjs': source })
  // Without these, Node takes the inner run for a part of this one.
  const { NODE_TEST_CONTEXT: _context, CI: _ci, ...env } = process.env
  const { status, stdout } = spawnSync(process.execPath, ['--test', `--test-reporter=${reporter}`, '*.test.mjs'], {
    cwd,
    encoding: 'utf8',
    env: { ...env, ...(ci && { CI: 'true' }), TEST_COUNTS_DIR: cwd, npm_package_name: '@scope/name' },
  })
  return { status, stdout, counts: JSON.parse(readFileSync(countsFile(cwd, '@scope/name'), 'utf8')), dir: cwd }
}

test('a green run is green, with the output of the spec reporter', (t) => {
  const { status, stdout, counts } = runTests(
    t,
    `${imports}describe('s', () => { test('one', () => {}) })\ntest('two', () => {})`,
    { ci: true },
  )
  assert.equal(status, 0)
  assert.match(stdout, /✔ two/)
  assert.match(stdout, /ℹ pass 2/)
  assert.deepEqual(counts, { passed: 2, failed: 0, skipped: 0, failures: [], skips: [], emptyFiles: [] })
})

test('a failed test fails the run and is named with its place', (t) => {
  const { status, counts, dir } = runTests(t, `${imports}test('one', () => { throw new Error('no') })`)
  assert.equal(status, 1)
  assert.deepEqual([counts.failed, counts.failures], [1, [`one (${join(dir, 'a.test.mjs')}:2)`]])
})

const skips = {
  test: `test('it', { skip: 'no docker' }, () => {})`,
  suite: `describe('it', { skip: 'no docker' }, () => { test('inner', () => {}) })`,
  'call of skip': `test('it', (t) => t.skip('no docker'))`,
  todo: `test('it', { todo: 'no docker' }, () => {})`,
}
for (const [what, source] of Object.entries(skips)) {
  test(`a skipped ${what} says why, and is a failure in CI only`, (t) => {
    const here = runTests(t, `${imports}test('other', () => {})\n${source}`)
    assert.deepEqual([here.status, here.counts.passed, here.counts.skipped], [0, 1, 1])
    assert.match(here.stdout, /SKIPPED it \(no docker\)/)
    const ci = runTests(t, `${imports}test('other', () => {})\n${source}`, { ci: true })
    assert.equal(ci.status, 1)
    assert.match(ci.stdout, /A skipped test is a failure in CI/)
  })
}

test('a run without tests is a failure', (t) => {
  const { status, stdout } = runTests(t, undefined)
  assert.equal(status, 1)
  assert.match(stdout, /No test ran/)
})

test('a test file without tests is a failure and counts as nothing', (t) => {
  const { status, stdout, counts } = runTests(t, imports)
  assert.equal(status, 1)
  assert.match(stdout, /a\.test\.mjs has no test in it/)
  assert.equal(counts.passed, 0)
})

test('a test file that cannot be loaded is a failure', (t) => {
  const { status, counts } = runTests(t, `import './missing.mjs'`)
  assert.deepEqual([status, counts.passed, counts.failed], [1, 0, 1])
})
