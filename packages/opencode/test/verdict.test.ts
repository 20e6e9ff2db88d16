import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AssistantMessage, EngineFault, StoredMessage } from '../src/engine-model.ts'
import { noUsage } from '../src/run-view.ts'
import { judge } from '../src/verdict.ts'
import type { EngineSnapshot, RunFacts } from '../src/verdict.ts'
import { readTrace, traceNames } from './trace.ts'

const facts: RunFacts = {
  cancelledAt: undefined,
  fault: undefined,
  wantsStructured: false,
  withdrawn: new Set(),
  usage: noUsage(),
  foundAgain: false,
  departed: false,
  patienceOver: false,
}

function snapshot(messages: readonly StoredMessage[], rest: Partial<EngineSnapshot> = {}): EngineSnapshot {
  return { messages, sessionBusy: false, busyChildren: 0, pendingAsks: 0, at: 0, ...rest }
}

function answer(fields: Partial<AssistantMessage>, text = ''): StoredMessage {
  const ids = { id: 'msg_2', sessionId: 'ses_1' }
  const message: AssistantMessage = { role: 'assistant', ...ids, parentId: 'msg_1', summary: false, ...fields }
  const part = { id: 'prt_1', sessionId: 'ses_1', messageId: message.id, text, ended: true, synthetic: false }
  return { message, parts: text === '' ? [] : [{ ...part, type: 'text' }] }
}

/** `status code` of an ended run, else the kind of the verdict. */
function verdict(messages: readonly StoredMessage[], extra: Partial<RunFacts & EngineSnapshot> = {}): string {
  const judged = judge(snapshot(messages, extra), { ...facts, ...extra })
  if (judged.kind !== 'ended') return judged.kind
  const { status, error } = judged.outcome
  return error ? `${status} ${error.code}` : status
}

const finished = answer({ finish: 'stop', completedAt: 1 }, 'done')
const going = answer({})

const fault = (name: string, rest: Partial<EngineFault> = {}): StoredMessage =>
  answer({ completedAt: 1, fault: { name, message: 'why', ...rest } })

describe('a run goes on', () => {
  test('while its session works, whatever is written', () => {
    assert.equal(verdict([finished], { sessionBusy: true }), 'running')
  })
  test('while a sub-agent works', () => {
    assert.equal(verdict([finished], { busyChildren: 1 }), 'running')
  })
  test('while a request waits for an answer, unless it was cancelled', () => {
    assert.equal(verdict([finished], { pendingAsks: 1 }), 'running')
    assert.equal(verdict([answer({ completedAt: 1 })], { pendingAsks: 1, cancelledAt: 5 }), 'cancelled RUN_CANCELLED')
  })
})

describe('an idle session whose last word is not written yet', () => {
  test('is looked at again', () => {
    assert.equal(verdict([]), 'unsettled')
    assert.equal(verdict([going]), 'unsettled')
    assert.equal(verdict([finished, going]), 'unsettled')
    assert.equal(verdict([going], { fault: { name: 'APIError', message: 'x' } }), 'unsettled')
    assert.equal(verdict([going], { cancelledAt: 5 }), 'unsettled')
  })
  test('is given up in the end: lost when it had begun, failed when it never did', () => {
    assert.equal(verdict([going], { patienceOver: true }), 'interrupted ENGINE_LOST')
    assert.equal(verdict([], { patienceOver: true }), 'failed RUN_FAILED')
    assert.equal(verdict([], { patienceOver: true, foundAgain: true }), 'interrupted RUN_INTERRUPTED')
    assert.equal(verdict([going], { patienceOver: true, cancelledAt: 5 }), 'cancelled RUN_CANCELLED')
  })
})

const endings: readonly [string, readonly StoredMessage[], Partial<RunFacts>, string][] = [
  ['an answer', [finished], {}, 'completed'],
  ['an answer that reached the limit of its length', [answer({ finish: 'length', completedAt: 1 })], {}, 'completed'],
  ['an answer that came before the cancellation', [finished], { cancelledAt: 5 }, 'completed'],
  [
    'an answer that came after the cancellation',
    [answer({ finish: 'stop', completedAt: 6 })],
    { cancelledAt: 5 },
    'cancelled RUN_CANCELLED',
  ],
  ['a cancelled answer', [fault('MessageAbortedError')], { cancelledAt: 5 }, 'cancelled RUN_CANCELLED'],
  [
    'a cancelled retry: neither finish nor error',
    [answer({ completedAt: 1 })],
    { cancelledAt: 5 },
    'cancelled RUN_CANCELLED',
  ],
  ['a prompt cancelled before its answer', [], { cancelledAt: 5 }, 'cancelled RUN_CANCELLED'],
  ['an abort that nobody ordered', [fault('MessageAbortedError')], {}, 'interrupted RUN_INTERRUPTED'],
  ['an abort in a retry that nobody ordered', [answer({ completedAt: 1 })], {}, 'interrupted RUN_INTERRUPTED'],
  ['a refused tool call at the end', [answer({ finish: 'tool-calls', completedAt: 1 })], {}, 'failed AGENT_STOPPED'],
  [
    'a tool call at the end, of an engine that is gone',
    [answer({ finish: 'tool-calls', completedAt: 1 })],
    { departed: true },
    'interrupted ENGINE_LOST',
  ],
  ['an unknown finish', [answer({ finish: 'other', completedAt: 1 })], {}, 'failed AGENT_STOPPED'],
  ['a withheld answer', [answer({ finish: 'content-filter', completedAt: 1 })], {}, 'failed CONTENT_FILTERED'],
  ['a withheld answer told as an error', [fault('ContentFilterError')], {}, 'failed CONTENT_FILTERED'],
  ['wrong credentials', [fault('APIError', { statusCode: 401 })], {}, 'failed MODEL_AUTH'],
  ['forbidden', [fault('APIError', { statusCode: 403 })], {}, 'failed MODEL_AUTH'],
  ['no credentials', [fault('ProviderAuthError')], {}, 'failed MODEL_AUTH'],
  ['a provider without capacity', [fault('APIError', { statusCode: 429 })], {}, 'failed PROVIDER_RATE_LIMITED'],
  ['a broken provider', [fault('APIError', { statusCode: 500 })], {}, 'failed MODEL_ERROR'],
  ['an overflow that nothing followed', [fault('ContextOverflowError')], {}, 'failed CONTEXT_OVERFLOW'],
  [
    'an unknown model',
    [],
    { fault: { name: 'UnknownError', message: 'Model not found: a/b.' } },
    'failed MODEL_NOT_FOUND',
  ],
  [
    'an unknown agent',
    [],
    { fault: { name: 'UnknownError', message: 'Agent not found: "x"' } },
    'failed AGENT_NOT_FOUND',
  ],
  [
    'an error the session recovered from',
    [fault('ContextOverflowError'), finished],
    { fault: { name: 'ContextOverflowError', message: 'x' } },
    'completed',
  ],
  [
    'a structured answer',
    [answer({ finish: 'tool-calls', completedAt: 1, structured: { n: 1 } })],
    { wantsStructured: true },
    'completed',
  ],
  [
    'an unstructured answer where a structured one was due',
    [finished],
    { wantsStructured: true },
    'failed OUTPUT_INVALID',
  ],
  ['a failed structure', [fault('StructuredOutputError')], { wantsStructured: true }, 'failed OUTPUT_INVALID'],
]

describe('what ends a run', () => {
  for (const [what, messages, extra, expected] of endings) {
    test(`${what}: ${expected}`, () => assert.equal(verdict(messages, extra), expected))
  }

  test('the final message is all that was said after the prompt, without summaries', () => {
    const summary = answer({ summary: true, finish: 'stop', completedAt: 1 }, 'SUMMARY')
    const judged = judge(
      snapshot([answer({ finish: 'tool-calls', completedAt: 1 }, 'first'), summary, finished]),
      facts,
    )
    assert.equal(judged.kind === 'ended' && judged.outcome.finalMessage, 'first\n\ndone')
  })

  test('the verdict tells what it rests on', () => {
    const judged = judge(snapshot([finished], { at: Date.UTC(2026, 0, 1) }), facts)
    assert.deepEqual(judged.kind === 'ended' && judged.outcome.evidence, {
      message_id: 'msg_2',
      finish_reason: 'stop',
      checks: ['message_finished', 'session_idle', 'no_pending_ask', 'children_idle'],
      checked_at: '2026-01-01T00:00:00.000Z',
    })
  })

  test('only a provider that may recover makes a retry sensible', () => {
    const retryable = (fault: EngineFault): unknown => {
      const judged = judge(snapshot([answer({ completedAt: 1, fault })]), facts)
      return judged.kind === 'ended' && judged.outcome.error?.retryable
    }
    assert.equal(retryable({ name: 'APIError', message: 'x', statusCode: 500, retryable: true }), true)
    assert.equal(retryable({ name: 'APIError', message: 'x', statusCode: 400, retryable: false }), false)
    assert.equal(retryable({ name: 'APIError', message: 'x', statusCode: 401, retryable: true }), false)
    assert.equal(retryable({ name: 'APIError', message: 'x', statusCode: 424, retryable: false }), true)
  })
})

const recorded: Partial<Record<(typeof traceNames)[number], string>> = {
  text: 'completed',
  autocompact: 'completed',
  overflow: 'completed',
  err401: 'failed MODEL_AUTH',
  drop: 'failed MODEL_ERROR',
  'abort-bash': 'interrupted RUN_INTERRUPTED',
  'abort-stream': 'interrupted RUN_INTERRUPTED',
  'question-reject': 'failed AGENT_STOPPED',
}

describe('recorded runs', () => {
  for (const [name, expected] of Object.entries(recorded)) {
    const trace = readTrace(name as (typeof traceNames)[number])
    const after = ({ message }: StoredMessage): boolean => message.id > trace.place.userMessageId

    test(`${name} ends as ${expected}`, () => {
      assert.equal(verdict(trace.storedMessages(trace.events.length).filter(after)), expected)
    })

    test(`${name} is never judged before its last message is finished`, () => {
      const last = trace.storedMessages(trace.events.length).findLast(({ message }) => message.role === 'assistant')
      const firstFinish = trace.events.findIndex(
        (event) => event.type === 'message' && event.message.id === last?.message.id && 'completedAt' in event.message,
      )
      for (const [index, event] of trace.events.entries()) {
        if (index >= firstFinish || event.type !== 'idle') continue
        assert.equal(verdict(trace.storedMessages(index).filter(after)), 'unsettled', `idle at ${index}`)
      }
    })
  }
})
