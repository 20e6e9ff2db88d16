import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { Detached } from '@opencode-gateway/contracts'
import type { AgentSession, Executor, SessionSpec } from '@opencode-gateway/contracts'
import { labels } from '../src/container/container-spec.ts'
import { command, prompt } from '@opencode-gateway/executor-testing/running'
import { createPlace, ctx, leftoversOf, missingImage, soon, until } from './scene.ts'
import type { Place } from './scene.ts'

const run = promisify(execFile)

describe('the life of containers', { skip: await missingImage() }, () => {
  let place: Place
  let executor: Executor
  before(async () => {
    place = await createPlace()
    // Looked at before each run: else one that was well a moment ago has the next one without a look.
    executor = place.executor({ healthTimeoutMs: 3_000, healthFreshMs: 0 })
    await executor.start(AbortSignal.timeout(120_000))
  })
  after(() => place?.close())

  async function open(
    t: TestContext,
    sessionId: string,
    { from = executor, fill }: { from?: Executor } & Pick<SessionSpec, 'fill'> = {},
  ): Promise<AgentSession> {
    const session = await from.open({ sessionId, title: 'Life', ...(fill ? { fill } : {}) }, ctx())
    t.after(() => session.release('nothing'))
    return session
  }

  const containerOf = async (sessionId: string) =>
    (await place.containers()).find((container) => container.labels[labels.session] === sessionId)

  const kill = async (sessionId: string): Promise<void> => {
    const container = await containerOf(sessionId)
    assert.ok(container, 'there is no container')
    await place.daemon.kill(container.id, soon())
  }

  test('a container that is killed ends its run, and the next run goes on with the conversation in another one', async (t) => {
    const session = await open(t, 'killed')
    const first = await containerOf('killed')
    const run = prompt(session, 'say: begun', 'hang')
    await run.untilText('text', 'begun')
    await kill('killed')
    const { status, error } = await run.outcome
    assert.equal(`${status} ${error?.code}`, 'interrupted CONTAINER_DIED')
    assert.match(error?.message ?? '', /killed from outside/)
    assert.equal((await prompt(session, 'say: again').outcome).finalMessage, 'again')
    const second = await containerOf('killed')
    assert.notEqual(second?.id, first?.id)
    assert.equal(
      place.model.requests.at(-1)?.messages.some((message) => JSON.stringify(message).includes('begun')),
      true,
    )
  })

  test('a container that runs out of memory says so', async (t) => {
    const session = await open(t, 'hungry', { fill: { resources: { memoryBytes: 512 * 1024 ** 2 } } })
    // What the kernel ends first is not for us to say; without the engine there is no container.
    const run = command(
      session,
      'for i in 1 2 3 4 5 6 7 8; do node -e "const a=[];for(;;)a.push(Buffer.alloc(1e7,1))" & done; wait; pkill -KILL -x opencode',
    )
    const { error } = await run.outcome
    assert.equal(error?.code, 'OUT_OF_MEMORY')
  })

  test('a container in which no process can begin says so, and the next run has another one', async (t) => {
    const session = await open(t, 'crowded', { fill: { resources: { pids: 64 } } })
    const more = `require("node:child_process").spawn("sleep", ["600"]).on("error", () => console.log("full"))`
    const crowded = command(session, `node -e 'setInterval(() => ${more}, 20)'`)
    await crowded.untilText('stdout', 'full')
    // Each connection to its engine is a process.
    const engineSocket = path.join(place.workspaceRoot, '.engine', 'crowded', 'sockets', 'engine.sock')
    const connection = connect(engineSocket).on('error', () => {})
    t.after(() => connection.destroy())
    const { status, error } = await crowded.outcome
    assert.equal(`${status} ${error?.code}`, 'interrupted PIDS_LIMIT', error?.message)
    assert.match(error?.message ?? '', /fork.*Resource temporarily unavailable/)
    assert.equal((await command(session, 'echo well').outcome).finalMessage, 'well\n')
  })

  const noMounts = process.getuid?.() !== 0 && 'only root can mount a file system'
  test('an engine whose disk is full says so, and goes on when there is room', { skip: noMounts }, async (t) => {
    const home = path.join(place.workspaceRoot, '.engine', 'full', 'home')
    await mkdir(home, { recursive: true })
    await run('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'none', home])
    t.after(() => run('umount', ['--lazy', home]).catch(() => undefined))
    const session = await open(t, 'full')
    await command(session, 'head -c 99000000 /dev/zero >"$HOME/big"; true').outcome
    for (const begin of [() => prompt(session, 'say: never'), () => command(session, 'true')]) {
      const { status, error } = await begin().outcome
      assert.equal(`${status} ${error?.code}`, 'failed DISK_FULL', error?.message)
      assert.match(error?.message ?? '', /WORKSPACE_ROOT.*make room/)
    }
    await rm(path.join(home, 'big'))
    assert.equal((await prompt(session, 'say: again').outcome).finalMessage, 'again')
    await run('umount', ['--lazy', home])
  })

  test('a container without work is ended, and another one comes with the next run', async (t) => {
    const hasty = place.executor({ idleTimeoutMs: 10 })
    await hasty.start(AbortSignal.timeout(120_000))
    const session = await open(t, 'idle', { from: hasty })
    await until(async () => (await containerOf('idle')) === undefined)
    assert.equal((await prompt(session, 'say: back').outcome).finalMessage, 'back')
  })

  test('runs go on while nobody watches them; another gateway finds them, and ends what it cannot reach', async (t) => {
    const mine = place.executor()
    await mine.start(AbortSignal.timeout(120_000))
    /** A session at work that the gateway has let go of. */
    const leave = async (sessionId: string, ...steps: readonly string[]) => {
      const session = await mine.open({ sessionId, title: 'Life' }, ctx())
      const leaving = new AbortController()
      const input = { kind: 'prompt', runId: `run-${sessionId}`, prompt: steps.join('\n') } as const
      const seen: string[] = []
      for await (const { type } of session.run(input, ctx(leaving.signal))) {
        seen.push(type)
        if (type === 'tool_call') leaving.abort(new Detached())
      }
      assert.ok(!seen.includes('outcome'))
      return { ref: session.ref, input }
    }
    const walledIn = await leave('walled-in', 'run: sleep 600')
    const survivor = await leave('survivor', 'run: sleep 3; echo slept', 'say: done')
    await mine.close()
    for (const id of ['survivor', 'walled-in']) assert.equal((await containerOf(id))?.running, true, id)
    // As its agent can.
    await rm(path.join(place.workspaceRoot, '.engine', 'walled-in', 'sockets', 'engine.sock'))

    const next = place.executor()
    await next.start(AbortSignal.timeout(120_000))
    const [found, ended] = [await next.attach(survivor.ref, ctx()), await next.attach(walledIn.ref, ctx())]
    assert.ok(found && ended)
    t.after(() => Promise.all([found.release('nothing'), ended.release('nothing')]))
    const events = []
    for await (const event of found.resume({ input: survivor.input, events: [] }, ctx())) events.push(event)
    const last = events.at(-1)
    assert.equal(last?.type === 'outcome' && `${last.outcome.status} ${last.outcome.finalMessage}`, 'completed done')
    assert.equal(await containerOf('walled-in'), undefined)
    assert.equal((await prompt(ended, 'say: back').outcome).finalMessage, 'back')
  })

  test('a container whose engine has lost its socket, or hangs, is replaced before the next run', async (t) => {
    const session = await open(t, 'sick')
    assert.equal((await prompt(session, 'say: well').outcome).finalMessage, 'well')
    const first = await containerOf('sick')
    // As its agent can.
    await rm(path.join(place.workspaceRoot, '.engine', 'sick', 'sockets', 'engine.sock'))
    assert.equal((await prompt(session, 'say: back').outcome).finalMessage, 'back')
    const second = await containerOf('sick')
    assert.notEqual(second?.id, first?.id)
    await place.pause(second?.id ?? '')
    assert.equal((await prompt(session, 'say: again').outcome).finalMessage, 'again')
    assert.notEqual((await containerOf('sick'))?.id, second?.id)
    assert.match(JSON.stringify(place.model.requests.at(-1)?.messages), /well.*back/)
  })

  test('a sweep ends what nobody needs and never what is not ours', async (t) => {
    const needed = await open(t, 'needed')
    const lookAlike = await place.lookAlike(t, { [labels.owner]: 'somebody-else', [labels.session]: 'gone' })
    const unlabelled = await place.lookAlike(t, {})
    const gone = await executor.open({ sessionId: 'gone', title: 'Life' }, ctx())
    const report = await executor.sweep(new Set(['needed']), ctx())
    assert.deepEqual(report.failed, [])
    assert.equal(report.removed.length, 2, report.removed.join())
    assert.equal(await containerOf('gone'), undefined)
    for (const id of [lookAlike, unlabelled])
      assert.ok(await place.daemon.inspect(id, soon()), 'a foreign container is gone')
    assert.equal((await prompt(needed, 'say: here').outcome).finalMessage, 'here')
    await gone.release('nothing')
  })

  test('what a stopped run has left in the background is ended with it', async (t) => {
    const session = await open(t, 'background')
    const run = prompt(session, 'run: setsid -f sleep 1000 >/dev/null 2>&1; echo begun', 'say: begun', 'hang')
    await run.untilText('text', 'begun')
    const { killed, escalated } = await session.cancel(ctx())
    assert.ok(killed >= 1 && escalated, `killed ${killed}, escalated ${escalated}`)
    assert.equal((await run.outcome).status, 'cancelled')
    const look = command(session, 'cat /proc/[0-9]*/comm | grep -x sleep')
    assert.equal((await look.outcome).exitCode, 1)
  })

  test('a session that is released leaves nothing, whoever has killed its container', async (t) => {
    const session = await open(t, 'released')
    await kill('released')
    await session.release('nothing')
    assert.deepEqual(
      (await leftoversOf(place)).filter((name) => name.includes('released')),
      [],
    )
  })

  test('the prices of the catalogue are learned from the image, and nobody waits for it', async (t) => {
    const learned = Promise.withResolvers<object>()
    const config = { provider: { anthropic: { options: { baseURL: 'http://127.0.0.1:4010/anthropic' } } } }
    const own = await createPlace()
    t.after(() => own.close())
    const pricing = own.executor({ config, providers: ['anthropic'], onCatalogue: learned.resolve })
    await pricing.start(AbortSignal.timeout(120_000))
    assert.deepEqual((await pricing.sweep(new Set(), ctx())).failed, [])
    const { models } = Object(Object(await learned.promise).anthropic)
    assert.ok(models['claude-haiku-4-5'].cost.input > 0)
    await pricing.close()
    assert.deepEqual(await own.containers(), [], 'the container of the probe is gone')
  })
  test('nothing is left of all these sessions', async () => {
    assert.deepEqual(await leftoversOf(place), [])
  })
})
