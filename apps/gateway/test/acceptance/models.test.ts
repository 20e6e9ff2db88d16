import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lines } from '@opencode-gateway/executor-testing'
import { callOf, eventually } from '../gateway.ts'
import { readSamples } from '../prometheus.ts'
import { startRealGateway } from '../real-engine.ts'

const LIMIT = { timeout: 120_000 }

test('what a run may use of models is counted on the way, reported and limited', { timeout: 240_000 }, async (t) => {
  const real = await startRealGateway({ env: { SESSION_BUDGET: 'calls=6' } })
  t.after(() => real[Symbol.asyncDispose]())
  const call = callOf(t, real.url)

  await t.test('every call is counted, those of sub-agents too, and reported', LIMIT, async () => {
    const prompt = [lines.run('true'), 'task: say: below', lines.say('hello')].join('\n')
    const answer = await call('POST', '/run', { prompt, model_config: { temperature: 0.125, max_tokens: 900 } })
    assert.equal(answer.status, 200, answer.text)
    const asked = real.model.requests.map(({ temperature, maxTokens }) => [temperature, maxTokens])
    assert.deepEqual(
      asked,
      Array.from({ length: 4 }, () => [0.125, 900]),
      'what is asked holds for sub-agents too',
    )
    const { usage, run_id: runId, session_id: sessionId } = answer.json()
    const { model_calls: calls, cost_usd: cost, tokens } = Object(usage)
    assert.equal(calls, 4)
    assert.ok(cost > 0)
    const report = await call('GET', `/usage?by=run&run_id=${String(runId)}`)
    assert.deepEqual(report.json(), {
      by: 'run',
      rows: [
        {
          group: runId,
          model: 'script/scripted',
          calls: 4,
          tokens,
          cost_usd: cost,
          unpriced_calls: 0,
          estimated_calls: 0,
        },
      ],
    })
    const csv = await call('GET', `/usage?by=session&session_id=${String(sessionId)}&format=csv`)
    assert.match(csv.headers.get('content-type') ?? '', /^text\/csv/)
    const [head, row] = csv.text.split('\r\n')
    assert.match(head ?? '', /^session,model,calls,input_tokens/)
    assert.ok(row?.startsWith(`${String(sessionId)},script/scripted,4,`))
    assert.equal((await call('GET', '/usage?by=nobody')).status, 400)
  })

  await t.test('a run ends when its budget is used up, an endless loop too', LIMIT, async () => {
    const before = real.model.requests.length
    const answer = await call('POST', '/run', { prompt: 'loop: run: true', budget: { calls: 3 } })
    assert.equal(answer.status, 402, answer.text)
    const { code, outcome } = answer.json()
    assert.deepEqual({ code, outcome }, { code: 'BUDGET_EXCEEDED', outcome: 'budget_exceeded' })
    assert.equal(real.model.requests.length - before, 3)
    const poor = await call('POST', '/run', { prompt: 'loop: run: true', budget: { cost_usd: 0.0003 } })
    assert.equal(poor.json().outcome, 'budget_exceeded')
    for (const budget of [{}, { calls: 0 }, { cost_usd: -1 }, { other: 1 }]) {
      assert.equal((await call('POST', '/run', { prompt: 'say: x', budget })).status, 400)
    }
  })

  await t.test('at its budget a run may ask, and goes on with the very call that waited', LIMIT, async () => {
    const before = real.model.requests.length
    const prompt = [lines.run('echo one'), lines.say('done')].join('\n')
    const budget = { calls: 1, on_limit: 'ask' }
    const accepted = await call('POST', '/sessions', { prompt, budget })
    const path = `/sessions/${String(accepted.json().session_id)}`
    const asks = async () => Array.from(Object((await call('GET', `${path}/asks`)).json()).asks, Object)
    await eventually(t, async () => (await asks()).length > 0)
    assert.equal((await call('GET', `${path}/status`)).json().status, 'waiting_input')
    const [ask] = await asks()
    assert.deepEqual([ask.kind, ask.budget.limit, ask.budget.used], ['budget', 'calls', 1])
    assert.equal((await call('POST', `${path}/asks/${ask.ask_id}`, { reply: 'once' })).status, 400)
    const raised = await call('POST', `${path}/asks/${ask.ask_id}`, { raise: { calls: 5 } })
    assert.equal(raised.status, 200, raised.text)
    const run = async () => Object(Object((await call('GET', path)).json()).runs[0])
    await eventually(t, async () => (await run()).status === 'completed')
    assert.equal(real.model.requests.length - before, (await run()).usage.model_calls, 'no call was made twice')
    const events = Array.from(Object((await call('GET', `${path}/events`)).json()).events, Object)
    const types = events.map(({ event }) => event)
    assert.equal(types.includes('retry'), false, 'the engine waited for the one call')
    assert.deepEqual(events[types.indexOf('ask_resolved')].data.budget, { calls: 6 })
  })

  await t.test('a key that is revoked in the middle of a run ends it, and says so', LIMIT, async () => {
    const before = real.model.requests.length
    const prompt = [lines.run('echo one'), 'error: 401 times=9 key revoked', lines.say('never')].join('\n')
    const answer = await call('POST', '/run', { prompt })
    const { code, outcome, retryable, usage } = answer.json()
    assert.deepEqual([answer.status, code, outcome, retryable], [500, 'MODEL_AUTH', 'failed', false], answer.text)
    assert.equal(real.model.requests.length - before, 2, 'it was not called again')
    assert.equal(Object(usage).model_calls, 1, 'what was refused is not counted')
  })

  await t.test('a session has a budget over all its runs', LIMIT, async () => {
    const path = `/sessions/${String((await call('POST', '/sessions', {})).json().session_id)}`
    for (let run = 0; run < 3; run += 1) {
      const prompt = [lines.run('true'), lines.run('true'), lines.say('done')].join('\n')
      assert.equal((await call('POST', `${path}/messages`, { prompt })).status, 202)
    }
    const states = async () =>
      Array.from(Object((await call('GET', path)).json()).runs, (run) => String(Object(run).status))
    await eventually(t, async () => (await states()).every((state) => state !== 'pending' && state !== 'running'))
    assert.deepEqual(await states(), ['completed', 'completed', 'budget_exceeded'])
    const asking = { prompt: lines.say('more'), budget: { on_limit: 'ask' } }
    assert.equal((await call('POST', `${path}/messages`, asking)).status, 202)
    const asks = async () => Array.from(Object((await call('GET', `${path}/asks`)).json()).asks, Object)
    await eventually(t, async () => (await asks()).length > 0)
    const [{ ask_id: askId, budget }] = await asks()
    assert.deepEqual([budget.of, budget.used, budget.budget], ['session', 6, { calls: 6 }])
    assert.equal((await call('POST', `${path}/asks/${askId}`, { raise: { calls: 1 } })).status, 200)
    await eventually(t, async () => (await states())[3] === 'completed')
  })

  await t.test('nothing above was refused as an attack', async () => {
    const samples = readSamples((await call('GET', '/metrics')).text)
    const refused = [...samples].filter(([name]) => name.startsWith('opencode_gateway_model_calls_refused_total'))
    assert.deepEqual(refused, [['opencode_gateway_model_calls_refused_total{why="budget"}', 3]])
  })
})
