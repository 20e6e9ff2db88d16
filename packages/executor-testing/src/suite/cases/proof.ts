import assert from 'node:assert/strict'
import type { ConformanceCase } from '../case.ts'
import { assertCompleted, assertSameText, cancel, resultsOf } from '../checks.ts'
import { lines } from '../lines.ts'

export const proofCases: readonly ConformanceCase[] = [
  {
    group: 'proof',
    name: 'a completed run tells what the verdict rests on',
    async run(scene) {
      const { evidence } = await assertCompleted(scene.prompt(await scene.open(), [lines.say('done')]))
      assert.notDeepEqual(evidence.checks, [], 'no checks')
      assert.equal(evidence.finish_reason, 'stop')
    },
  },
  {
    group: 'proof',
    name: 'a finished tool step does not end the run',
    async run(scene) {
      const gate = scene.newGate()
      const recording = scene.prompt(await scene.open(), [lines.run('true'), lines.gate(gate), lines.say('the end')])
      await recording.until('a tool result', (item) => item.type === 'tool_result')
      await scene.waitForGate(gate)
      assert.ok(!recording.items.some((item) => item.type === 'outcome'), 'it ended after the tool step')
      scene.release(gate)
      assert.equal((await assertCompleted(recording)).finalMessage, 'the end')
    },
  },
  {
    group: 'proof',
    name: 'a model that never says that it is done does not complete',
    session: 'own',
    async run(scene) {
      const session = await scene.open()
      const recording = scene.prompt(session, [lines.endless()])
      await recording.until('its output or its end', (item) => item.type === 'output' || item.type === 'outcome')
      await cancel(scene, session)
      const { status, error } = await recording.outcome()
      const verdict = `${status} ${error?.code}`
      assert.ok(['cancelled RUN_CANCELLED', 'failed MODEL_LOOP'].includes(verdict), verdict)
    },
  },
  {
    group: 'proof',
    name: 'an answer that the provider withheld is not completed',
    async run(scene) {
      const recording = scene.prompt(await scene.open(), [lines.say('half an'), lines.finish('content_filter')])
      const { status, error } = await recording.outcome()
      assert.equal(`${status} ${error?.code}`, 'failed CONTENT_FILTERED')
    },
  },
  {
    group: 'proof',
    name: 'an answer that ends with tool calls and has none is not the last word',
    async run(scene) {
      const steps = [lines.say('not yet'), lines.finish('tool_calls'), lines.say('now')]
      const { finalMessage, evidence } = await assertCompleted(scene.prompt(await scene.open(), steps))
      assertSameText(finalMessage, 'not yet now', 'the final message')
      assert.equal(evidence.finish_reason, 'stop')
    },
  },
  {
    group: 'proof',
    name: 'an answer cut off at the length limit is completed, and the evidence says so',
    async run(scene) {
      const steps = [lines.say('as long as it'), lines.finish('length')]
      const { finalMessage, evidence } = await assertCompleted(scene.prompt(await scene.open(), steps))
      assert.equal(finalMessage, 'as long as it')
      assert.equal(evidence.finish_reason, 'length')
    },
  },
  {
    group: 'proof',
    name: 'a conversation that grew too long and was summed up is completed with the real answer',
    session: 'own',
    async run(scene) {
      const steps = [lines.run('true'), lines.overflow(), lines.say('after all')]
      const recording = scene.prompt(await scene.open(), steps)
      assert.equal((await assertCompleted(recording)).finalMessage, 'after all')
      assert.equal(recording.text('text'), 'after all')
    },
  },
  {
    group: 'proof',
    name: 'a run whose sub-agent is still at work has not ended',
    async run(scene) {
      const gate = scene.newGate()
      const child = lines.task(lines.gate(gate), lines.say('from below'))
      const recording = scene.prompt(await scene.open(), [child, lines.say('the end')])
      await recording.until('a tool call', (item) => item.type === 'tool_call')
      await scene.waitForGate(gate)
      assert.ok(!recording.items.some((item) => item.type === 'outcome'), 'it ended before its sub-agent')
      scene.release(gate)
      assert.equal((await assertCompleted(recording)).finalMessage, 'the end')
      assert.match(resultsOf(recording, 'task')[0]?.result.output ?? '', /from below/)
    },
  },
  {
    group: 'proof',
    name: 'what a stream had said before it broke is named as withdrawn, and nothing else is',
    async run(scene) {
      const gate = scene.newGate()
      const broken = [
        lines.think('void thought'),
        lines.say('void'),
        lines.gate(gate),
        lines.drop(),
        lines.say('and more'),
      ]
      const recording = scene.prompt(await scene.open(), [lines.say('kept'), lines.run('true'), ...broken])
      await recording.untilText('text', 'void')
      await scene.waitForGate(gate)
      const told = recording.events().flatMap((event) => (event.type === 'output' ? [event.data] : []))
      const voided = told.filter(({ text, type }) => type === 'reasoning' || text.includes('void'))
      scene.release(gate)
      const { finalMessage } = await assertCompleted(recording)
      const withdrawn = recording
        .events()
        .flatMap((event) => (event.type === 'retry' ? (event.data.withdrawn_parts ?? []) : []))
      const ids = new Set(voided.map(({ part_id: partId }) => partId))
      assert.deepEqual([...withdrawn].sort(), [...ids].sort(), 'withdrawn parts')
      assertSameText(recording.text('text'), 'kept void and more', 'the deltas that were not withdrawn')
      assertSameText(finalMessage, 'kept void and more', 'the final message')
      assert.equal(recording.text('reasoning'), 'void thought')
    },
  },
]
