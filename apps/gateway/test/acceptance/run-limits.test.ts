import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { lines } from '@opencode-gateway/executor-testing'
import { callOf, eventually } from '../gateway.ts'
import { startRealGateway } from '../real-engine.ts'

/** A machine at work on other things needs it. */
const EACH = { timeout: 60_000 }

test('limits of runs, with an engine of its own', { timeout: 180_000 }, async (t) => {
  const real = await startRealGateway()
  t.after(() => real[Symbol.asyncDispose]())
  const { model } = real
  const call = callOf(t, real.url)
  const callsOf = (mark: string) => model.requests.filter(({ prompt }) => prompt.includes(mark)).length

  await t.test('P5: every one has its code, and of what it ended no call of the model goes on', EACH, async () => {
    const cases: [object, string[], number, string, RegExp][] = [
      [{ max_model_calls: 3 }, ['loop: run: true'], 500, 'MODEL_LOOP', /called [45] times; a run may call it 3 times/],
      [{ idle_timeout: '1s' }, [lines.say('begun'), lines.hang()], 408, 'IDLE_TIMEOUT', /1 s/],
      [{ timeout: '1s' }, [lines.say('begun'), lines.hang()], 408, 'RUN_TIMEOUT', /1 s/],
      [
        { timeout: '1m' },
        [lines.error(429, 'retry-after=3600 times=9 slow down')],
        500,
        'PROVIDER_RATE_LIMITED',
        /wait 3\d\d\d s/,
      ],
    ]
    const marks: string[] = []
    for (const [options, steps, status, code, text] of cases) {
      const mark = randomUUID()
      const answer = await call('POST', '/run', { ...options, prompt: [mark, ...steps].join('\n') })
      const { code: told, error } = answer.json()
      assert.deepEqual([answer.status, told], [status, code], answer.text)
      assert.match(String(error), text)
      marks.push(mark)
    }
    assert.equal(model.open(), 0)
    const before = marks.map(callsOf)
    assert.ok(Number(before[0]) <= 5, `the loop was called ${before[0]} times`)
    assert.equal((await call('POST', '/run', { prompt: lines.say('and on') })).status, 200)
    assert.deepEqual(marks.map(callsOf), before)
  })

  await t.test('an agent that is told to wrap up when two thirds of its time are over does so', EACH, async () => {
    const body = { timeout: '9s', wrap_up: lines.say('wrapped up'), prompt: 'loop: run: sleep 0.2' }
    // Whether it ends in the rest of its time is a matter of the machine.
    assert.equal((await call('POST', '/run', body)).json()['output'], 'wrapped up')
  })

  await t.test('an engine that has stalled with a run is replaced: the next run works', EACH, async (t) => {
    const pidOf = () => Number(real.process.records().findLast(({ msg }) => msg === 'the engine is ready')?.['pid'])
    const stuck = pidOf()
    const made = await call('POST', '/sessions', {
      prompt: [lines.say('begun'), lines.hang()].join('\n'),
      idle_timeout: '1s',
    })
    const path = `/sessions/${String(made.json()['session_id'])}`
    await eventually(t, async () => (await call('GET', `${path}/events?limit=100`)).text.includes('begun'))
    process.kill(stuck, 'SIGSTOP')
    await eventually(t, async () => (await call('GET', `${path}/status`)).json()['status'] === 'timed_out')
    const { events } = (await call('GET', `${path}/events?limit=100`)).json()
    const { error, receipt } = Object([events].flat().at(-1)).data
    assert.deepEqual([error.code, receipt.escalated], ['IDLE_TIMEOUT', true])
    assert.equal((await call('POST', '/run', { prompt: lines.say('again') })).json()['output'], 'again')
    assert.notEqual(pidOf(), stuck)
    assert.equal(model.open(), 0)
  })
})
