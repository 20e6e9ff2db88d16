import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CompleteData, EventBody, LogEvent, RunRow } from '@opencode-gateway/contracts'
import { conversationOf } from '../src/views/conversation.ts'
import { sseFrames } from '../src/views/event-frame.ts'
import { runAnswer } from '../src/views/run-answer.ts'

const usage = {
  tokens: { input: 1, output: 2, reasoning: 0, cache_read: 0, cache_write: 0 },
  cost_usd: null,
  model_calls: 1,
}

const complete = (more: Partial<CompleteData> = {}): CompleteData => ({
  outcome: 'completed',
  success: true,
  final_message: 'all',
  files_modified: [],
  usage,
  timings: { queued_ms: 1, total_ms: 2540 },
  ...more,
})

const run = (more: Partial<RunRow> = {}): RunRow => ({
  runId: 'r',
  sessionId: 's',
  tenant: 't',
  input: { kind: 'prompt', runId: 'r', prompt: 'ask' },
  state: 'completed',
  epoch: 1,
  owner: undefined,
  leaseUntil: undefined,
  attempts: 1,
  limits: { wallMs: 1, idleMs: 1, askMs: 1, modelCalls: 1 },
  requestId: 'q',
  createdAt: 0,
  claimedAt: 0,
  promptedAt: 0,
  endedAt: 0,
  cancelRequestedAt: undefined,
  progress: 100,
  currentTool: undefined,
  asks: [],
  complete: complete(),
  ...more,
})

const log = (...bodies: EventBody[]): LogEvent[] =>
  bodies.map((body, index) => ({ ...body, seq: index + 1, runId: 'r', at: 0 }))
const context = { requestId: 'q', instance: '/run', at: 0 }

describe('the answer of a run', () => {
  it('says what its complete event says', () => {
    const { status, success, body } = runAnswer(
      run({ complete: complete({ structured: { n: null }, exit_code: 0 }) }),
      context,
    )
    assert.equal(status, 200)
    assert.equal(success, true)
    assert.equal(body.output, 'all')
    assert.equal(body.error, null)
    assert.equal(body.execution_time, '2.5s')
    assert.deepEqual(body.structured, { n: null })
    assert.equal(body.exit_code, 0)
  })

  const endings: [Partial<CompleteData>, number, string][] = [
    [{ outcome: 'timed_out', error: { code: 'RUN_TIMEOUT', message: 'm', retryable: true } }, 408, 'RUN_TIMEOUT'],
    [{ outcome: 'failed', error: { code: 'MODEL_AUTH', message: 'm', retryable: false } }, 500, 'MODEL_AUTH'],
    [{ outcome: 'failed', error: { code: 'A_CODE_OF_TOMORROW', message: 'm', retryable: true } }, 500, 'RUN_FAILED'],
    [{ outcome: 'failed' }, 500, 'RUN_FAILED'],
    [{ outcome: 'cancelled' }, 409, 'RUN_CANCELLED'],
    [{ outcome: 'timed_out' }, 408, 'RUN_TIMEOUT'],
    [{ outcome: 'interrupted' }, 503, 'RUN_INTERRUPTED'],
  ]
  for (const [ending, status, code] of endings) {
    it(`is ${status} ${code} for ${ending.outcome} with ${ending.error?.code ?? 'no reason'}`, () => {
      const answer = runAnswer(run({ complete: complete({ success: false, ...ending }) }), context)
      assert.ok(!answer.success)
      assert.equal(answer.status, status)
      assert.equal(answer.body.code, code)
      assert.equal(answer.body.status, status)
      assert.equal(answer.body.output, 'all')
      assert.equal(answer.body.error, answer.body.detail)
    })
  }

  it('is none before the run has ended', () => {
    assert.throws(() => runAnswer(run({ complete: undefined }), context))
  })
})

describe('the conversation', () => {
  const parts = (...bodies: EventBody[]) => conversationOf([run()], log(...bodies))[1]?.parts
  const text = (partId: string, piece: string): EventBody => ({
    type: 'output',
    data: { type: 'text', text: piece, part_id: partId },
  })

  it('joins the deltas of a part, in the order parts began', () => {
    assert.deepEqual(parts(text('a', 'one '), text('b', 'three'), text('a', 'two')), [
      { type: 'text', text: 'one two' },
      { type: 'text', text: 'three' },
    ])
  })

  it('leaves out what a retry withdrew', () => {
    const retry: EventBody = {
      type: 'retry',
      data: { attempt: 1, message: 'm', next_at: '', withdrawn_parts: ['a'] },
    }
    assert.deepEqual(parts(text('a', 'half a sen'), retry, text('b', 'whole')), [{ type: 'text', text: 'whole' }])
  })

  it('gives a result to its call, and says which calls have none', () => {
    assert.deepEqual(
      parts(
        { type: 'tool_call', data: { call_id: '1', tool: 'bash', args: { command: 'x' } } },
        { type: 'tool_call', data: { call_id: '2', tool: 'read', args: null } },
        {
          type: 'tool_result',
          data: { call_id: '1', tool: 'bash', status: 'error', result: { output: 'o' }, error: 'e', duration_ms: 1 },
        },
      ),
      [
        { type: 'tool', call_id: '1', tool: 'bash', args: { command: 'x' }, status: 'error', output: 'o', error: 'e' },
        { type: 'tool', call_id: '2', tool: 'read', args: null, status: 'running' },
      ],
    )
  })

  it('has the final message of a run whose events are gone', () => {
    assert.deepEqual(conversationOf([run()], [])[1]?.parts, [{ type: 'text', text: 'all' }])
  })

  it('has the question alone while there is no answer', () => {
    assert.deepEqual(
      conversationOf([run({ complete: undefined })], []).map(({ role }) => role),
      ['user'],
    )
  })
})

describe('server-sent frames', () => {
  it('cannot be broken out of, whatever the text', () => {
    const nasty = 'a\nid: 99\n\nevent: complete\rdata: {}\r\n\r\n\u2028'
    const frames = sseFrames(log({ type: 'output', data: { type: 'text', text: nasty, part_id: 'p\nid: 7' } }))
    const lines = frames.split(/\r\n|\r|\n/)
    assert.deepEqual(lines.slice(0, 2), ['id: 1', 'event: output'])
    assert.deepEqual(lines.slice(3), ['', ''])
    const data: unknown = JSON.parse((lines[2] ?? '').replace(/^data: /, ''))
    assert.equal(Object(data).text, nasty)
  })
})
