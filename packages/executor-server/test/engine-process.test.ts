import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { startEngineProcess } from '../src/engine-process.ts'
import { findMarked, killMarked } from '../src/marked-processes.ts'

/** Says that it listens, and does not end when it is asked to. */
const STUBBORN = `#!/bin/sh
trap '' TERM
echo "opencode server listening on http://127.0.0.1:1"
while true; do sleep 1; done
`

async function stubbornOptions(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'engine-process-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  const binary = join(directory, 'engine')
  await writeFile(binary, STUBBORN)
  await chmod(binary, 0o755)
  const mark = `OPENCODE_GATEWAY_TEST=${directory}`
  const environment = { PATH: process.env['PATH'] ?? '' }
  return { mark, binary, directory, environment, secrets: [], startTimeoutMs: 30_000, killTimeoutMs: 3_000 }
}

async function startStubborn(t: TestContext, stopGraceMs: number) {
  const { mark, ...options } = await stubbornOptions(t)
  return { mark, engine: await startEngineProcess({ ...options, marks: [mark], stopGraceMs }, t.signal) }
}

const LIMIT = { timeout: 30_000 }

test('an engine that does not end when it is asked to is ended by force after the grace time', LIMIT, async (t) => {
  const { mark, engine } = await startStubborn(t, 50)
  await engine.stop()
  assert.match(await engine.exited, /SIGKILL/)
  assert.deepEqual(await findMarked(mark), [])
})

test('who has no time to wait for the grace time says so, at any time', LIMIT, async (t) => {
  const { mark, engine } = await startStubborn(t, 3_600_000)
  const hurry = new AbortController()
  const stopped = engine.stop(hurry.signal)
  hurry.abort()
  await stopped
  assert.match(await engine.exited, /SIGKILL/)
  assert.deepEqual(await findMarked(mark), [])
})

test('a process that exits without stopping its engine takes it along', LIMIT, async (t) => {
  const { mark, ...options } = await stubbornOptions(t)
  t.after(() => killMarked(mark, AbortSignal.timeout(3_000)))
  const script = `
    import { startEngineProcess } from ${JSON.stringify(new URL('../src/engine-process.ts', import.meta.url).href)}
    await startEngineProcess(${JSON.stringify({ ...options, marks: [mark], stopGraceMs: 3_600_000 })}, new AbortController().signal)
    console.log('started')
    process.exit(1)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    signal: t.signal,
  })
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  assert.deepEqual([said, code], ['started\n', 1])
  // What was killed may take a moment to be gone.
  while ((await findMarked(mark)).length > 0) await setImmediate(undefined, { signal: t.signal })
})
