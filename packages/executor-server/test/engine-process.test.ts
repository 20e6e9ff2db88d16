import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startEngineProcess } from '../src/engine-process.ts'
import { findMarked } from '../src/marked-processes.ts'

/** Says that it listens, and does not end when it is asked to. */
const STUBBORN = `#!/bin/sh
trap '' TERM
echo "opencode server listening on http://127.0.0.1:1"
while true; do sleep 1; done
`

async function startStubborn(t: TestContext, stopGraceMs: number) {
  const directory = await mkdtemp(join(tmpdir(), 'engine-process-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  const binary = join(directory, 'engine')
  await writeFile(binary, STUBBORN)
  await chmod(binary, 0o755)
  const mark = `OPENCODE_GATEWAY_TEST=${directory}`
  const environment = { PATH: process.env['PATH'] ?? '' }
  const options = {
    binary,
    directory,
    environment,
    marks: [mark] as const,
    secrets: [],
    startTimeoutMs: 30_000,
    killTimeoutMs: 3_000,
  }
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
