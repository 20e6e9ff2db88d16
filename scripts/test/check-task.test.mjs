import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { tempDir } from './temp-dir.mjs'

const childModule = new URL('../toolchain/child.mjs', import.meta.url).href
const taskModule = new URL('../toolchain/tasks/check.mjs', import.meta.url).href
const timeout = 60_000

/**
 * Runs the task with tools that are these scripts.
 *
 * @param {import('node:test').TestContext} t
 * @param {Record<'oxfmt' | 'oxlint' | 'turbo', string>} tools
 */
function checkTask(t, tools) {
  const bin = 'node_modules/.bin'
  const root = tempDir(t, Object.fromEntries(Object.entries(tools).map(([name, text]) => [`${bin}/${name}`, text])))
  for (const name of Object.keys(tools)) chmodSync(join(root, bin, name), 0o755)
  const source = `
    import { mirrorExit } from ${JSON.stringify(childModule)}
    import { check } from ${JSON.stringify(taskModule)}
    mirrorExit(await check({ root: process.cwd(), tools: {}, args: [], env: process.env }))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const output = { text: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => (output.text += text))
  return { child, output, closed: once(child, 'close') }
}

const fine = '#!/bin/sh\nexit 0\n'

test('every group is run, and one that is red is named', { timeout }, async (t) => {
  const { output, closed } = checkTask(t, { oxfmt: '#!/bin/sh\nexit 1\n', oxlint: fine, turbo: fine })
  assert.deepEqual(await closed, [1, null])
  assert.match(output.text, /== types\n[^]*check failed: format\n$/)
})

test('a check that was ended has neither passed nor failed, however politely its tools end', { timeout }, async (t) => {
  const polite = `#!${process.execPath}
    process.on('SIGTERM', () => process.exit(0))
    setInterval(() => {}, 1000)
    console.log('ready')`
  const { child, output, closed } = checkTask(t, { oxfmt: fine, oxlint: polite, turbo: fine })
  while (!output.text.includes('ready')) await once(child.stdout, 'data')
  child.kill('SIGTERM')
  assert.deepEqual(await closed, [null, 'SIGTERM'])
  assert.doesNotMatch(output.text, /check passed|check failed|== types/)
})
