import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { lines } from '@opencode-gateway/executor-testing'
import { idsOf, ofType, readEvents, type Frame } from '../event-source.ts'
import { callOf, eventually, type Gateway } from '../gateway.ts'
import { DEFAULT_MODEL, engineSessions, filesIn, startRealGateway, type RealGateway } from '../real-engine.ts'
import { processesIn } from '../processes.ts'

type Call = Gateway['call']

/** A machine at work on other things needs it; alone a second or two is enough. */
const EACH = { timeout: 60_000 }
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)
const prompt = (...steps: readonly string[]) => ({ prompt: steps.join('\n') })

/** Makes a session that is gone after the test. */
async function begin(t: TestContext, call: Call, body: Record<string, unknown>): Promise<string> {
  const made = await call('POST', '/sessions', body)
  assert.equal(made.status, 201, made.text)
  const id = String(made.json().session_id)
  t.after(() => call('DELETE', `/sessions/${id}`))
  return id
}

/** Runs a command in the session and waits for its end. */
async function shell(call: Call, id: string, command: string): Promise<Record<string, unknown>> {
  const answer = await call('POST', `/sessions/${id}/shell`, { command }, { prefer: 'wait=60' })
  assert.equal(answer.status, 200, answer.text)
  return answer.json()
}

/** All of a run's events, from its stream. */
async function readRun(t: TestContext, { url }: RealGateway, id: string): Promise<Frame[]> {
  await using reader = await readEvents(`${url}/sessions/${id}/stream`, t.signal)
  return (await reader.rest()).filter((frame) => frame.id !== undefined)
}

/** The pid that a command of the session has written down. */
async function pidIn(t: TestContext, real: RealGateway, id: string): Promise<number> {
  const file = join(real.workspaceRoot, id, 'pid')
  let pid = 0
  await eventually(t, async () => {
    pid = Number(await readFile(file, 'utf8').catch(() => ''))
    return pid > 1
  })
  return pid
}

const sleeping = 'echo $$ > pid.new; mv pid.new pid; sleep 1000 & wait'

test('a gateway with an engine of its own', { timeout: 300_000 }, async (t) => {
  const real = await startRealGateway({
    env: { MAX_STREAMS_PER_KEY: '5' },
    config: { agent: { reviewer: { mode: 'primary', prompt: 'You are the reviewer of marker 0815.' } } },
  })
  t.after(() => real[Symbol.asyncDispose]())
  const { model } = real
  const call = callOf(t, real.url)

  await t.test('A3: a marker is echoed, the directory is the session’s, exit 3 is 3', EACH, async (t) => {
    const id = await begin(t, call, {})
    const marker = randomUUID()
    const echoed = await shell(call, id, `echo ${marker}`)
    assert.equal(echoed.output, `${marker}\n`)
    assert.equal(echoed.exit_code, 0)
    const { workspace } = (await call('GET', `/sessions/${id}`)).json()
    assert.equal(workspace, join(real.workspaceRoot, id))
    assert.equal((await shell(call, id, 'pwd')).output, `${workspace}\n`)
    assert.equal((await shell(call, id, 'ls -A')).output, '')
    const failed = await shell(call, id, 'echo to stderr >&2; exit 3')
    assert.deepEqual([failed.success, failed.exit_code, failed.stderr], [true, 3, 'to stderr\n'])
    assert.equal((await call('DELETE', `/sessions/${id}`)).status, 200)
  })

  await t.test(
    'A4: 20 sessions of three steps, five at a time, see nothing of each other and leave nothing',
    EACH,
    async (t) => {
      const before = engineSessions(real)
      const left = upTo(20)
      const steps = async (run: number): Promise<void> => {
        const id = await begin(t, call, {})
        assert.equal((await shell(call, id, `echo ${run} > marker-${run}; cat marker-*`)).output, `${run}\n`)
        const listed = await call('POST', `/sessions/${id}/shell`, { command: 'ls' })
        assert.equal(listed.status, 202)
        const [complete] = (await readRun(t, real, id)).slice(-1)
        assert.equal(complete?.data.final_message, `marker-${run}\n`)
        assert.equal((await shell(call, id, `rm marker-${run}; ls; exit ${run}`)).exit_code, run)
        assert.equal((await call('DELETE', `/sessions/${id}`)).status, 200)
      }
      const worker = async (): Promise<void> => {
        for (let run = left.shift(); run !== undefined; run = left.shift()) await steps(run)
      }
      await Promise.all(upTo(5).map(worker))
      assert.deepEqual(engineSessions(real), before)
      assert.deepEqual(await filesIn(real.workspaceRoot), [])
    },
  )

  await t.test('A4: no event stream is left open: all that a key may have can be had again', EACH, async (t) => {
    const id = await begin(t, call, prompt(lines.gate('streams'), lines.say('end')))
    const url = `${real.url}/sessions/${id}/stream`
    const readers = await Promise.all(upTo(5).map(() => readEvents(url, t.signal)))
    const refused = await call('GET', `/sessions/${id}/stream`)
    assert.equal(refused.json().code, 'TOO_MANY_STREAMS')
    model.release('streams')
    await Promise.all(readers.map((reader) => reader.rest()))
  })

  await t.test(
    'B1: not ready while the workspace cannot be written, with the reason; ready again after',
    EACH,
    async (t) => {
      const aside = `${real.workspaceRoot}.aside`
      const readiness = async (status: number) => {
        let answer = await call('GET', '/ready')
        await eventually(t, async () => {
          answer = await call('GET', '/ready')
          return answer.status === status
        })
        return Object(answer.json().checks).workspace
      }
      await rename(real.workspaceRoot, aside)
      await writeFile(real.workspaceRoot, '')
      const refused = await readiness(503)
      assert.equal(refused.ok, false)
      assert.match(refused.reason, /EEXIST|ENOTDIR/)
      await rm(real.workspaceRoot)
      await rename(aside, real.workspaceRoot)
      assert.equal((await readiness(200)).ok, true)
    },
  )

  await t.test(
    'B2, E1: a session with the client’s id is one of the engine’s, with its title and directory',
    async () => {
      const sessionId = randomUUID()
      const body = { session_id: sessionId, ...prompt('Fix the parser, please', lines.say('fixed')) }
      const made = (await call('POST', '/sessions', body)).json()
      assert.equal(made.session_id, sessionId)
      assert.equal(made.remote_session_id, null)
      assert.ok(made.status === 'pending' || made.status === 'running', String(made.status))
      assert.ok(!Number.isNaN(Date.parse(String(made.created_at))))
      await readRun(t, real, sessionId)
      const session = (await call('GET', `/sessions/${sessionId}`)).json()
      const [inEngine] = engineSessions(real).filter(({ id }) => id === session.remote_session_id)
      assert.deepEqual(
        [inEngine?.title, inEngine?.directory],
        ['Fix the parser, please', join(real.workspaceRoot, sessionId)],
      )
      // A title that is given is not asked of the model.
      assert.deepEqual(
        model.requests.filter(({ kind }) => kind === 'title'),
        [],
      )
      assert.equal((await call('POST', '/sessions', body)).json().code, 'SESSION_EXISTS')
      await call('DELETE', `/sessions/${sessionId}`)
    },
  )

  await t.test(
    'B3: status, output, tool_call, tool_result, output, complete; to every subscriber alike',
    EACH,
    async (t) => {
      const steps = [lines.gate('all-read'), lines.say('before'), lines.run('echo in between'), lines.say('after')]
      const id = await begin(t, call, prompt(...steps))
      const readers = upTo(3).map(() => readRun(t, real, id))
      await model.waitForGate('all-read', t.signal)
      model.release('all-read')
      const [one = [], ...others] = await Promise.all(readers)
      for (const other of [...others, await readRun(t, real, id)]) assert.deepEqual(other, one)
      assert.deepEqual(idsOf(one), upTo(one.length))
      // What a command writes is told while it runs, between its call and its result.
      const told = one.filter(({ event, data }) => event !== 'usage' && data.type !== 'stdout')
      const kinds = told.map(({ event }) => event)
      assert.deepEqual(
        kinds.filter((kind, index) => kind !== kinds[index - 1]),
        ['status', 'output', 'tool_call', 'tool_result', 'output', 'complete'],
      )
      const [result] = ofType(one, 'tool_result')
      assert.match(String(Object(result?.data.result).output), /in between/)
      assert.equal(one.at(-1)?.data.final_message, 'before\n\nafter')
    },
  )

  for (const [method, route] of [
    ['POST', '/cancel'],
    ['POST', '/stop'],
    ['DELETE', ''],
  ] as const) {
    await t.test(`B5: ${method} {id}${route} ends the model's call, and the run stays cancelled`, EACH, async (t) => {
      const mark = randomUUID()
      const id = await begin(t, call, prompt(lines.say(mark), lines.hang()))
      const called = await model.waitForRequest(({ prompt }) => prompt.includes(mark), t.signal)
      const answer = await call(method, `/sessions/${id}${route}`)
      assert.equal(answer.status, 200, answer.text)
      assert.ok(Object(answer.json().receipt).aborted_sessions >= 1)
      await model.waitForRequest((request) => request === called && request.state === 'aborted', t.signal)
      assert.equal(model.open(), 0)
      const log = await readRun(t, real, id)
      assert.deepEqual([log.at(-1)?.event, log.at(-1)?.data.outcome], ['complete', 'cancelled'])
      assert.equal((await call('GET', `/sessions/${id}/status`)).json().status, 'cancelled')
      assert.deepEqual(await readRun(t, real, id), log)
    })
  }

  await t.test("B5: cancelling ends the children of the agent's command and of a client's", EACH, async (t) => {
    const byAgent = await begin(t, call, prompt(lines.run(sleeping), lines.say('never')))
    const byClient = await begin(t, call, {})
    await call('POST', `/sessions/${byClient}/shell`, { command: sleeping })
    for (const id of [byAgent, byClient]) {
      const pid = await pidIn(t, real, id)
      assert.ok((await processesIn(join(real.workspaceRoot, id))).some((seen) => seen.pid === pid))
      assert.equal((await call('POST', `/sessions/${id}/stop`)).json().status, 'cancelled')
      assert.deepEqual(await processesIn(join(real.workspaceRoot, id)), [])
    }
  })

  await t.test('D1: a text and a JSON body are answered alike, with what the run took and cost', EACH, async (t) => {
    const script = [lines.usage(1000, 100), lines.write('made.txt', 'made'), lines.say('I made it')].join('\n')
    for (const answer of [
      await call('POST', '/run', script, { 'content-type': 'text/plain' }),
      await call('POST', '/run', { prompt: script }),
    ]) {
      assert.equal(answer.status, 200, answer.text)
      const { success, output, error, outcome, files_modified, execution_time, usage, request_id, session_id } =
        answer.json()
      assert.deepEqual([success, output, error, outcome], [true, 'I made it', null, 'completed'])
      assert.deepEqual(files_modified, ['made.txt'])
      assert.match(String(execution_time), /^\d+\.\ds$/)
      assert.equal(request_id, answer.headers.get('x-request-id'))
      assert.equal(Object(usage).model, DEFAULT_MODEL)
      assert.ok(Object(usage).cost_usd > 0)
      await eventually(t, async () => !(await filesIn(real.workspaceRoot)).includes(String(session_id)))
    }
  })

  await t.test(
    'D3: a run over its time limit is answered with 408, and nothing of it works any more',
    EACH,
    async (t) => {
      const steps = [lines.say('too slow'), lines.run(sleeping), lines.say('never')]
      const answer = await call('POST', '/run', { ...prompt(...steps), timeout: 2, keep_workspace: true })
      assert.equal(answer.status, 408, answer.text)
      const body = answer.json()
      assert.deepEqual([body.success, body.code, body.outcome], [false, 'RUN_TIMEOUT', 'timed_out'])
      assert.match(String(body.output), /too slow/)
      const id = String(body.session_id)
      assert.ok((await pidIn(t, real, id)) > 1)
      assert.deepEqual(await processesIn(join(real.workspaceRoot, id)), [])
      assert.equal(model.open(), 0)
      await call('DELETE', `/sessions/${id}`)
    },
  )

  await t.test('E1: several tasks at once in one server, each in its own directory', EACH, async (t) => {
    const steps = (task: number) => [
      lines.write('mine.txt', `task ${task}`),
      lines.gate('together'),
      lines.run('cat mine.txt; echo; ls; pwd'),
      lines.say('done'),
    ]
    const ids = await Promise.all(upTo(5).map((task) => begin(t, call, prompt(...steps(task)))))
    await eventually(t, () => model.open() === 5)
    model.release('together')
    for (const [index, id] of ids.entries()) {
      const [result] = ofType(await readRun(t, real, id), 'tool_result').slice(-1)
      const { output } = Object(result?.data.result)
      assert.equal(output, `task ${index + 1}\nmine.txt\n${join(real.workspaceRoot, id)}\n`)
    }
  })

  await t.test('the model, the agent and the system prompt of a request reach the model', EACH, async () => {
    const options = { model: 'script/other', agent: 'reviewer', system_prompt: 'Be brief, marker 4711.' }
    const answer = await call('POST', '/run', { ...prompt(lines.say('with options')), ...options })
    assert.equal(answer.status, 200, answer.text)
    const [received] = model.requests.filter((request) => request.prompt.includes('with options'))
    assert.equal(received?.model, 'other')
    assert.match(received.system, /reviewer of marker 0815/)
    assert.match(received.system, /marker 4711/)
    const plain = await call('POST', '/run', prompt(lines.say('without any')))
    assert.equal(plain.status, 200)
    const [other] = model.requests.filter((request) => request.prompt.includes('without any'))
    assert.equal(other?.model, 'scripted')
    assert.doesNotMatch(other.system, /marker/)
  })

  await t.test(
    'an agent and a model that the engine does not know are failures with their own codes',
    EACH,
    async () => {
      for (const [option, code] of [
        [{ agent: 'nobody' }, 'AGENT_NOT_FOUND'],
        [{ model: 'script/nothing' }, 'MODEL_NOT_FOUND'],
      ] as const) {
        const answer = await call('POST', '/run', { ...prompt(lines.say('never')), ...option })
        assert.deepEqual([answer.status, answer.json().code], [500, code], answer.text)
      }
    },
  )

  await t.test('nothing is left of all this', EACH, async (t) => {
    await eventually(t, async () => (await filesIn(real.workspaceRoot)).length === 0)
    assert.deepEqual(engineSessions(real), [])
    assert.equal(model.open(), 0)
  })
})
