import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { run } from '../toolchain/child.mjs'
import { tempDir } from './temp-dir.mjs'

const childModule = new URL('../toolchain/child.mjs', import.meta.url).href
const timeout = 60_000

/**
 * A launcher that runs `source` the way tasks are run.
 *
 * @param {string} source
 * @param {'child' | 'group'} signals
 */
function launch(source, signals = 'child') {
  const launcher = `
    import { mirrorExit, run } from ${JSON.stringify(childModule)}
    const options = { cwd: process.cwd(), env: process.env, signals: ${JSON.stringify(signals)} }
    mirrorExit(await run(process.execPath, ['-e', ${JSON.stringify(source)}], options))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', launcher], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const output = { text: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => (output.text += text))
  return { child, output, closed: once(child, 'close') }
}

/** @param {ReturnType<typeof launch>} launched */
async function ready({ child, output }) {
  while (!output.text.includes('ready')) await once(child.stdout, 'data')
}

/** @param {number} pid of a process that should have ended */
function endIfAlive(pid) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}

const polite = `
  let seen = []
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => { console.log(signal); process.exit(3) })
  setInterval(() => {}, 1000)
  console.log('ready')`

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  test(`${signal} reaches the task, which ends as it likes`, { timeout }, async () => {
    const launched = launch(polite)
    await ready(launched)
    launched.child.kill(signal)
    assert.deepEqual(await launched.closed, [3, null])
    assert.match(launched.output.text, new RegExp(signal))
  })
}

test('a task that a signal ends takes the launcher with it', { timeout }, async () => {
  const launched = launch(`console.log('ready'); setInterval(() => {}, 1000)`)
  await ready(launched)
  launched.child.kill('SIGTERM')
  assert.deepEqual(await launched.closed, [null, 'SIGTERM'])
})

test('a task that is killed leaves the exit code of a shell', { timeout }, async () => {
  assert.deepEqual(await launch(`process.kill(process.pid, 'SIGKILL')`).closed, [137, null])
})

// The grandchild holds the pipe: `closed` comes only when it has ended too.
for (const [what = '', end = '', code] of /** @type {const} */ ([
  ['ends', 'process.exit(5)', 5],
  ['is killed', `process.kill(process.pid, 'SIGKILL')`, 137],
])) {
  test(`nothing is left of a task that ${what} without its child`, { timeout }, async (t) => {
    const launched = launch(`
      const { spawn } = require('node:child_process')
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' })
      process.stdout.write('ready ' + child.pid + ' ', () => { ${end} })`)
    await ready(launched)
    t.after(() => endIfAlive(Number(launched.output.text.split(' ')[1])))
    assert.deepEqual(await launched.closed, [code, null])
  })
}

test('a command that takes too long is killed', { timeout }, async (t) => {
  const args = ['-e', 'setInterval(() => {}, 1000)']
  const exit = await run(process.execPath, args, { cwd: tempDir(t), env: process.env, timeoutMs: 1 })
  assert.deepEqual(exit, { signal: 'SIGKILL' })
})

test('a command that is not there is named', async (t) => {
  await assert.rejects(run('no-such-command', [], { cwd: tempDir(t), env: {} }), /"no-such-command" cannot be started/)
})
