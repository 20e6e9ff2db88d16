import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { silentLog } from '@opencode-gateway/executor-testing'
import { ExecutorError } from '@opencode-gateway/contracts'
import { findMarked } from '../src/marked-processes.ts'
import { createServerExecutor } from '../src/index.ts'
import { startRemoteEngine } from './remote.ts'
import { command, prompt, resume } from '@opencode-gateway/executor-testing/running'
import { createPlace, leftoversIn, startScene } from './scene.ts'
import type { Place } from './scene.ts'

const ctx = () => ({ signal: AbortSignal.timeout(30_000), log: silentLog })

async function placeFor(t: TestContext): Promise<Place> {
  const place = await createPlace()
  t.after(() => place.close())
  return place
}

function engineMark(place: Place): string {
  return `OPENCODE_GATEWAY_ENGINE=${place.embedded().stateDir}`
}

async function thrownBy(promise: Promise<unknown>): Promise<ExecutorError> {
  try {
    await promise
  } catch (error) {
    assert.ok(error instanceof ExecutorError, String(error))
    return error
  }
  assert.fail('nothing was thrown')
}

async function fakeEngine(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('an engine that is killed in mid-run ends the run as interrupted, and the session goes on after', async (t) => {
  const place = await placeFor(t)
  const scene = await startScene(place, { embedded: place.embedded() })
  const session = await scene.executor.open({ sessionId: 'one', title: 'One' }, ctx())
  const run = prompt(session, 'say: begun', 'hang')
  await run.untilText('text', 'begun')
  for (const pid of await findMarked(engineMark(place))) process.kill(pid, 'SIGKILL')
  const { status, error } = await run.outcome
  assert.equal(`${status} ${error?.code} ${error?.retryable}`, 'interrupted ENGINE_LOST true')

  assert.equal((await prompt(session, 'say: again').outcome).finalMessage, 'again')
  const next = await scene.executor.open({ sessionId: 'two', title: 'Two' }, ctx())
  assert.equal((await prompt(next, 'say: anew').outcome).finalMessage, 'anew')
})

test('after close no process of the engine is left, a busy agent included', async (t) => {
  const place = await placeFor(t)
  const scene = await startScene(place, { embedded: place.embedded() })
  const session = await scene.executor.open({ sessionId: 'one', title: 'One' }, ctx())
  const run = command(session, "trap '' TERM; echo begun; sleep 1000")
  await run.untilText('stdout', 'begun')
  await scene.executor.close()
  assert.equal((await run.outcome).status, 'interrupted')
  assert.deepEqual(await findMarked(engineMark(place)), [])
})

test('a command that ignores the request to end is ended by force, and the receipt says so', async (t) => {
  const place = await placeFor(t)
  const scene = await startScene(place, { embedded: place.embedded() })
  const session = await scene.executor.open({ sessionId: 'one', title: 'One' }, ctx())
  const engine = await findMarked(engineMark(place))
  const run = command(session, "trap '' TERM HUP INT; (cd /; trap '' TERM; sleep 1000) & echo begun; sleep 1000; wait")
  await run.untilText('stdout', 'begun')
  const receipt = await session.cancel(ctx())
  assert.equal((await run.outcome).status, 'cancelled')
  assert.ok(receipt.killed > 0 && receipt.escalated, JSON.stringify(receipt))
  const marked = await findMarked('OPENCODE_GATEWAY_SESSION=one')
  assert.deepEqual(marked, [])
  assert.deepEqual(await findMarked(engineMark(place)), engine, 'the engine works on')
})

/** A process with this entry in its environment, ended with the test. */
function sleeper(t: TestContext, entry: string): ChildProcess {
  const [name = '', value = ''] = entry.split('=', 2)
  const process = spawn('sleep', ['600'], {
    env: { PATH: '/usr/bin:/bin', [name]: value },
    detached: true,
    stdio: 'ignore',
  })
  t.after(() => process.kill('SIGKILL'))
  return process
}

test('what a killed gateway left behind is ended at start, and nothing that is like it', async (t) => {
  const place = await placeFor(t)
  const orphan = await startRemoteEngine(place, { mark: engineMark(place) })
  const child = sleeper(t, engineMark(place))
  const strangers = [`${engineMark(place)}-of-another`, `NOT_${engineMark(place)}`].map((entry) => sleeper(t, entry))
  const ended = once(child, 'exit')
  const scene = await startScene(place, { embedded: place.embedded() })
  assert.match(await orphan.process.exited, /SIGKILL/)
  assert.deepEqual(await ended, [null, 'SIGKILL'])
  for (const { exitCode, signalCode } of strangers) assert.deepEqual([exitCode, signalCode], [null, null])
  assert.equal((await scene.executor.check(ctx().signal)).ok, true)
})

test('a missing engine is said with what to do about it', async (t) => {
  const place = await placeFor(t)
  const { workspaceRoot } = place
  const embedded = place.embedded({ binary: path.join(place.directory, 'no-engine') })
  const executor = createServerExecutor({ workspaceRoot, log: silentLog, embedded })
  place.defer(() => executor.close())
  const error = await thrownBy(executor.start(ctx().signal))
  assert.equal(error.code, 'EXECUTOR_UNAVAILABLE')
  assert.match(error.message, /opencode-ai.*OPENCODE_SERVER_URL/)
  assert.equal((await executor.check(ctx().signal)).ok, false)
})

test('a program that is no engine is refused with what it wrote', async (t) => {
  const place = await placeFor(t)
  const { workspaceRoot } = place
  const executor = createServerExecutor({
    workspaceRoot,
    log: silentLog,
    embedded: place.embedded({ binary: '/bin/ls' }),
  })
  place.defer(() => executor.close())
  const error = await thrownBy(executor.start(ctx().signal))
  assert.equal(error.code, 'EXECUTOR_UNAVAILABLE')
  assert.match(error.message, /exit code 2.*\n.*--hostname/s)
})

test('a run whose engine is gone ends at once for the engine that comes after it', async (t) => {
  const place = await placeFor(t)
  const scene = await startScene(place, { embedded: place.embedded() })
  const session = await scene.executor.open({ sessionId: 'one', title: 'One' }, ctx())
  const run = prompt(session, 'say: begun', 'hang')
  const shell = await scene.executor.open({ sessionId: 'two', title: 'Two' }, ctx())
  const long = command(shell, 'echo begun; sleep 600')
  await run.untilText('text', 'begun')
  await long.untilText('stdout', 'begun')
  for (const pid of await findMarked(engineMark(place))) process.kill(pid, 'SIGKILL')
  await Promise.all([run.outcome, long.outcome, scene.executor.close()])

  // Whoever waits here for what a dead engine might still write down waits longer than the test.
  const next = await startScene(place, { embedded: place.embedded(), limits: { settleMs: 3_600_000 } })
  for (const [{ ref }, before] of [
    [session, run],
    [shell, long],
  ] as const) {
    const found = await next.executor.attach(ref, ctx())
    assert.ok(found)
    const again = resume(found, before)
    const { status, error } = await again.outcome
    assert.equal(status, 'interrupted', error?.message)
    assert.equal(again.signal.aborted, false, 'it ended by itself')
    await found.release('nothing')
  }
  assert.deepEqual(await leftoversIn(place.workspaceRoot), [])
})

test('a root for workspaces below a repository is refused', async (t) => {
  const place = await placeFor(t)
  await mkdir(path.join(place.directory, '.git'))
  const { workspaceRoot } = place
  const executor = createServerExecutor({ workspaceRoot, log: silentLog, embedded: place.embedded() })
  place.defer(() => executor.close())
  const error = await thrownBy(executor.start(ctx().signal))
  assert.match(error.message, /WORKSPACE_ROOT.*\.git/)
})

const strangers: readonly [string, RequestListener, string, RegExp][] = [
  [
    'HTML',
    (_, response) => response.setHeader('content-type', 'text/html; charset=utf-8').end('<html></html>'),
    'ENGINE_INCOMPATIBLE',
    /text\/html.*1\.x/s,
  ],
  [
    'another version',
    (_, response) => response.setHeader('content-type', 'application/json').end('{"healthy":true,"version":"2.0.1"}'),
    'ENGINE_INCOMPATIBLE',
    /"2\.0\.1"/,
  ],
  ['HTTP 500', (_, response) => response.writeHead(500).end('broken'), 'EXECUTOR_UNAVAILABLE', /HTTP 500: broken/],
  ['HTTP 401', (_, response) => response.writeHead(401).end(), 'EXECUTOR_UNAVAILABLE', /OPENCODE_SERVER_PASSWORD/],
  ['nothing', (request) => request.destroy(), 'EXECUTOR_UNAVAILABLE', /did not answer/],
]

for (const [what, answer, code, text] of strangers) {
  test(`a remote engine that answers with ${what} is refused`, async (t) => {
    const place = await placeFor(t)
    const url = await fakeEngine(t, answer)
    const remote = { url, username: 'opencode', password: 'x' }
    const options = { workspaceRoot: place.workspaceRoot, log: silentLog, remote, maxRetries: 1, retryDelayMs: 1 }
    const executor = createServerExecutor(options)
    place.defer(() => executor.close())
    const error = await thrownBy(executor.start(ctx().signal))
    assert.equal(error.code, code)
    assert.match(error.message, text)
  })
}

test('several tasks at once each work in their own directory', async (t) => {
  const place = await placeFor(t)
  const scene = await startScene(place, { embedded: place.embedded() })
  const names = ['a', 'b', 'c', 'd']
  const sessions = await Promise.all(
    names.map((sessionId) => scene.executor.open({ sessionId, title: sessionId }, ctx())),
  )
  const outcomes = await Promise.all(
    sessions.map(async (session, index) => {
      await prompt(session, `write: marker.txt | ${names[index]}`, 'say: ok').outcome
      return (await command(session, 'pwd; cat marker.txt; ls ..').outcome).finalMessage
    }),
  )
  for (const [index, text] of outcomes.entries()) {
    assert.ok(text.startsWith(`${path.join(place.workspaceRoot, names[index] ?? '')}\n${names[index]}`), text)
  }
})
