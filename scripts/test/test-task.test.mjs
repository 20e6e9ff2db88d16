import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { countsFile, noCounts } from '../toolchain/test-counts.mjs'
import { tempDir } from './temp-dir.mjs'

const taskModule = new URL('../toolchain/tasks/test.mjs', import.meta.url).href
const workspace = {
  'pnpm-workspace.yaml': 'packages:\n  - packages/*\n',
  'package.json': '{"name":"root","scripts":{"test":"never counted"}}',
  'packages/a/package.json': '{"name":"@scope/a","scripts":{"test":"node --test"}}',
  'packages/b/package.json': '{"name":"@scope/b","scripts":{"test":"node --test"}}',
  'packages/c/package.json': '{"name":"@scope/c"}',
}

/**
 * Runs the task with a turbo that leaves these counts and this exit code.
 *
 * @param {import('node:test').TestContext} t
 * @param {Record<string, Partial<import('../toolchain/test-counts.mjs').Counts>>} results by package
 * @param {{ turboCode?: number, ci?: boolean, args?: string[], packages?: Record<string, string> }} [options]
 */
async function testTask(t, results, { turboCode = 0, ci = false, args = [], packages = {} } = {}) {
  const writes = Object.entries(results).map(([name, counts]) => {
    const path = JSON.stringify(countsFile('DIR', name)).replace('DIR', '$TEST_COUNTS_DIR')
    return `cat > ${path} <<'END'\n${JSON.stringify({ ...noCounts(), ...counts })}\nEND`
  })
  const turbo = ['#!/bin/sh', 'echo "called: $*"', ...writes, `exit ${turboCode}`].join('\n')
  const root = tempDir(t, { ...workspace, ...packages, 'node_modules/.bin/turbo': turbo })
  chmodSync(join(root, 'node_modules/.bin/turbo'), 0o755)

  const env = { PATH: process.env.PATH, ...(ci && { CI: 'true' }) }
  const source = `
    import { test } from ${JSON.stringify(taskModule)}
    const exit = await test({ root: process.cwd(), tools: {}, args: ${JSON.stringify(args)}, env: ${JSON.stringify(env)} })
    process.exitCode = exit.code`
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (output.stderr += text))
  const [code] = await once(child, 'close')
  return { code, ...output, lastLine: output.stdout.trimEnd().split('\n').at(-1) }
}

test('the last line is the sum over the packages', async (t) => {
  const results = { '@scope/a': { passed: 3, skipped: 1 }, '@scope/b': { passed: 4 } }
  const { code, lastLine } = await testTask(t, results)
  assert.deepEqual([code, lastLine], [0, '7 passed, 0 failed, 1 skipped'])
})

test('a failure is named again and decides the exit code, also when turbo is content', async (t) => {
  const results = { '@scope/a': { passed: 3 }, '@scope/b': { failed: 1, failures: ['one (b.test.ts:1)'] } }
  const { code, stdout, lastLine } = await testTask(t, results)
  assert.deepEqual([code, lastLine], [1, '3 passed, 1 failed, 0 skipped'])
  assert.match(stdout, /^FAILED one \(b\.test\.ts:1\)$/m)
})

test('a skip fails the run in CI', async (t) => {
  const results = { '@scope/a': { passed: 3, skipped: 1 }, '@scope/b': { passed: 4 } }
  const { code, lastLine } = await testTask(t, results, { ci: true })
  assert.deepEqual([code, lastLine], [1, '7 passed, 0 failed, 1 skipped'])
})

test('the exit code of turbo is kept', async (t) => {
  const { code } = await testTask(t, { '@scope/a': { passed: 1 }, '@scope/b': { passed: 1 } }, { turboCode: 9 })
  assert.equal(code, 9)
})

test('a package with tests that leaves no result fails the run', async (t) => {
  const { code, stderr, lastLine } = await testTask(t, { '@scope/a': { passed: 3 } })
  assert.deepEqual([code, lastLine], [1, '3 passed, 0 failed, 0 skipped'])
  assert.match(stderr, /no result from @scope\/b:/)
})

test('a run in which no test ran fails', async (t) => {
  const { code, stderr } = await testTask(t, { '@scope/a': {}, '@scope/b': {} })
  assert.equal(code, 1)
  assert.match(stderr, /no test ran/)
})

test('arguments select packages, and those that are left out are not missed', async (t) => {
  const { code } = await testTask(t, { '@scope/a': { passed: 1 } }, { args: ['--filter=@scope/a'] })
  assert.equal(code, 0)
})

test('packages that take long have a part of the run to themselves, the others one together', async (t) => {
  const long = ['gateway', 'scripts'].map((name) => `@opencode-gateway/${name}`)
  const packages = Object.fromEntries(
    long.map((name) => [`packages/${name.slice(18)}/package.json`, JSON.stringify({ name, scripts: { test: 'x' } })]),
  )
  const results = Object.fromEntries([...long, '@scope/a', '@scope/b'].map((name) => [name, { passed: 1 }]))
  const { code, stdout, lastLine } = await testTask(t, results, { packages })
  assert.deepEqual([code, lastLine], [0, '4 passed, 0 failed, 0 skipped'])
  const filters = [...stdout.matchAll(/^called: .*$/gm)].map(([line]) => line.match(/--filter=\S+/g)?.join(' '))
  const [one, other] = long.map((name) => `--filter=${name}`)
  assert.equal(filters.length, 3)
  assert.deepEqual(new Set(filters), new Set([one, other, `--filter=!${long[0]} --filter=!${long[1]}`]))
})
