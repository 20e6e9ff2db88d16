import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AgentEventBody } from '@opencode-gateway/contracts'
import { eventData } from '@opencode-gateway/contracts'
import { shapeProblem } from '@opencode-gateway/contracts/shape'
import { restoreView } from '../src/restore-view.ts'
import { markMissed } from '../src/run-view.ts'
import { lastTokens, otherEvents, play, readTrace, textByPart, traceNames } from './trace.ts'

/** One short text per event. */
function brief({ type, data }: AgentEventBody): string {
  switch (type) {
    case 'output':
      return `${data.type} ${JSON.stringify(data.text)}`
    case 'tool_call':
      return `call ${data.tool} ${JSON.stringify(data.args)}`
    case 'tool_result':
      return `result ${data.tool} ${data.status} ${data.result.exit_code}`
    case 'usage':
      return `usage ${data.model_calls} ${data.tokens.input}/${data.tokens.output} ${data.cost_usd}`
    case 'file':
      return `file ${data.change} ${data.path}`
    case 'retry':
      return `retry ${data.attempt} ${data.withdrawn_parts?.length ?? 0}`
    case 'ask_resolved':
      return `ask_resolved ${JSON.stringify(data.answer)}`
    default:
      return type
  }
}

const stories: Partial<Record<(typeof traceNames)[number], readonly string[]>> = {
  think: ['reasoning "let me "', 'reasoning "think"', 'text "the answer"', 'usage 1 100/10 0.00012'],
  write: [
    'call write {"filePath":"/workspaces/write/hello.txt","content":"hi there"}',
    'result write completed undefined',
    'file created hello.txt',
    'usage 1 100/20 0.00014',
    'text "wrote "',
    'text "it"',
    'usage 2 201/22 0.000245',
  ],
  bashfail: [
    'call bash {"command":"echo oops >&2; exit 3","description":"scripted command"}',
    'stdout "oops\\n"',
    'result bash completed 3',
    'usage 1 100/20 0.00014',
    'text "it "',
    'text "failed"',
    'usage 2 201/22 0.000245',
  ],
  'bash-timeout': [
    'call bash {"command":"echo start; sleep 5; echo end","description":"scripted command","timeout":1000}',
    'stdout "start\\n"',
    'result bash completed null',
    'usage 1 100/20 0.00014',
    'text "x"',
    'usage 2 201/21 0.000243',
  ],
  err500x1: ['retry 1 0', 'text "recovered "', 'text "after "', 'text "1"', 'usage 1 100/3 0.000106'],
  err401: [],
  autocompact: [
    'text "some "',
    'text "answer"',
    'usage 1 1900/2 null',
    'usage 2 2000/6 null',
    'text "done"',
    'usage 3 2100/7 null',
  ],
  'question-reject': [
    'ask',
    'call question {"questions":[{"question":"Which colour?","header":"Colour","options":[{"label":"red","description":"r"},{"label":"blue","description":"b"}]}]}',
    'ask_resolved "reject"',
    'result question error undefined',
    'usage 1 100/20 0.00014',
  ],
}

describe('what the engine says becomes what a client is told', () => {
  for (const [name, story] of Object.entries(stories)) {
    test(name, () => {
      const trace = readTrace(name as (typeof traceNames)[number])
      assert.deepEqual(play(trace.view(), trace.events).map(brief), story)
    })
  }

  test('a broken answer that is written again is withdrawn each time, and stands once', () => {
    const trace = readTrace('drop')
    const events = play(trace.view(), trace.events)
    assert.equal(events.filter(({ type }) => type === 'retry').length, 5)
    assert.deepEqual(Object.values(textByPart(events)), ['partial answer that is cut'])
  })

  test('an error of the provider carries no headers, bodies or addresses', () => {
    const trace = readTrace('err401')
    const view = trace.view()
    play(view, trace.events)
    assert.deepEqual(view.fault, {
      name: 'APIError',
      message: 'scripted error 401 #1',
      statusCode: 401,
      retryable: false,
    })
  })
})

for (const name of traceNames) {
  describe(`the trace ${name}`, () => {
    const trace = readTrace(name)
    const whole = play(trace.view(), trace.events)
    const stored = trace.storedAfter(trace.events.length)

    test('gives events of the agreed shapes', () => {
      for (const event of whole) assert.equal(shapeProblem(eventData[event.type], event.data), undefined)
    })

    test('told a second time says nothing new', () => {
      const view = trace.view()
      play(view, trace.events)
      assert.deepEqual(play(view, trace.events), [])
      assert.deepEqual(play(view, stored, 'stored'), [])
    })

    test('says the same from any cut of the stream on, wherever the stream comes back', () => {
      for (let cut = 0; cut <= trace.events.length; cut += 1) {
        for (const back of [cut, cut + 3, trace.events.length]) {
          for (const read of [back, back + 3]) {
            const view = trace.view()
            const before = play(view, trace.events.slice(0, cut))
            markMissed(view)
            const missed = play(view, trace.storedAfter(read), 'stored')
            const after = play(view, trace.events.slice(back))
            const rest = play(view, stored, 'stored')
            assertSame([...before, ...missed, ...after, ...rest], `cut at ${cut}, back at ${back}, read at ${read}`)
          }
        }
      }
    })

    test('goes on after a restart from what the log holds', () => {
      for (let cut = 0; cut <= trace.events.length; cut += 1) {
        const before = play(trace.view(), trace.events.slice(0, cut))
        const view = restoreView(trace.place, before)
        assertSame([...before, ...play(view, stored, 'stored')], `restarted at ${cut}`)
      }
    })

    /** Retries, asks and lists of things to do that nobody saw are gone: they are not part of the engine's state. */
    function assertSame(told: readonly AgentEventBody[], where: string): void {
      const lasting = (events: readonly AgentEventBody[]): readonly string[] =>
        otherEvents(events.filter(({ type }) => !['retry', 'ask', 'ask_resolved', 'todo'].includes(type))).toSorted()
      const withdrawn = new Set(
        whole.flatMap((event) => (event.type === 'retry' ? (event.data.withdrawn_parts ?? []) : [])),
      )
      const standing = Object.entries(textByPart(told)).filter(([part]) => !withdrawn.has(part))
      assert.deepEqual(Object.fromEntries(standing), textByPart(whole), where)
      assert.deepEqual(lasting(told), lasting(whole), where)
      assert.deepEqual(lastTokens(told), lastTokens(whole), where)
    }
  })
}
