import assert from 'node:assert/strict'
import type { ConformanceCase } from '../case.ts'
import { assertCompleted, assertEventShape, assertOutcomeShape, assertSameText } from '../checks.ts'
import { lines } from '../lines.ts'

const everything = [
  lines.think('Let me see'),
  lines.write('made.txt', 'made'),
  lines.run('cat made.txt'),
  lines.together(lines.todo('first', '[x] second')),
  lines.say('It is made.'),
]

export const orderingCases: readonly ConformanceCase[] = [
  {
    group: 'ordering',
    name: 'every event and the outcome have the shape of the contract',
    async run(scene) {
      const recording = scene.prompt(await scene.open(), everything)
      assertOutcomeShape(await recording.outcome())
      for (const event of recording.events()) assertEventShape(event)
    },
  },
  {
    group: 'ordering',
    name: 'the deltas of all text, joined in order, are the final message',
    async run(scene) {
      const texts = ['one two three', 'vier fünf', 'six 七 😀 eight']
      const recording = scene.prompt(await scene.open(), [
        lines.say(texts[0] ?? ''),
        lines.run('true'),
        lines.say(texts[1] ?? ''),
        lines.say(texts[2] ?? ''),
      ])
      const { finalMessage } = await assertCompleted(recording)
      assertSameText(recording.text('text'), texts.join(''), 'the deltas are what the model wrote')
      assertSameText(finalMessage, texts.join(''), 'the final message is what the model wrote')
    },
  },
  {
    group: 'ordering',
    name: 'a long answer of many deltas arrives whole',
    session: 'own',
    async run(scene) {
      const recording = scene.prompt(await scene.open(), [lines.long(200_000), lines.say('end')])
      const { finalMessage } = await assertCompleted(recording)
      const text = recording.text('text')
      assert.equal(text.length, 200_004, 'length of all deltas')
      assert.ok(text === `${'x'.repeat(200_000)}\nend`, 'the deltas are what the model wrote')
      assert.ok(finalMessage === text, `the final message has ${finalMessage.length} characters`)
    },
  },
  {
    group: 'ordering',
    name: 'text arrives while the model is still writing',
    async run(scene) {
      const gate = scene.newGate()
      const recording = scene.prompt(await scene.open(), [lines.say('before'), lines.gate(gate), lines.say('after')])
      await recording.untilText('text', 'before')
      assert.equal(recording.items.at(-1)?.type === 'outcome', false)
      scene.release(gate)
      await assertCompleted(recording)
      assert.equal(recording.text('text'), 'before\nafter')
    },
  },
  {
    group: 'ordering',
    name: 'every tool call has one result, which comes after it',
    session: 'own',
    async run(scene) {
      const recording = scene.prompt(await scene.open(), everything)
      await assertCompleted(recording)
      const open = new Map<string, string>()
      const seen = new Set<string>()
      for (const { type, data } of recording.events()) {
        if (type === 'tool_call') {
          assert.ok(!seen.has(data.call_id), `the call "${data.call_id}" comes twice`)
          seen.add(data.call_id)
          open.set(data.call_id, data.tool)
        } else if (type === 'tool_result') {
          assert.equal(open.get(data.call_id), data.tool, `a result of "${data.tool}" has no open call of that tool`)
          open.delete(data.call_id)
        }
      }
      assert.equal(seen.size, 3, 'write, bash and todowrite were called')
      assert.deepEqual([...open.values()], [], 'calls without a result')
    },
  },
  {
    group: 'ordering',
    name: 'a part has one kind, and reasoning is no part of the final message',
    async run(scene) {
      const recording = scene.prompt(await scene.open(), [lines.think('pondering deeply'), lines.say('the answer')])
      const { finalMessage } = await assertCompleted(recording)
      const kinds = new Map<string, string>()
      for (const { type, data } of recording.events()) {
        if (type !== 'output') continue
        assert.equal(kinds.get(data.part_id) ?? data.type, data.type, `the part "${data.part_id}" changes its kind`)
        kinds.set(data.part_id, data.type)
      }
      assert.equal(recording.text('reasoning'), 'pondering deeply')
      assert.equal(recording.text('text'), 'the answer')
      assert.equal(finalMessage, 'the answer')
    },
  },
  {
    group: 'ordering',
    name: 'text that a retry withdraws is said, and is not in the final message',
    async run(scene) {
      const recording = scene.prompt(await scene.open(), [lines.say('only once'), lines.drop(), lines.say('and more')])
      const { finalMessage } = await assertCompleted(recording)
      assert.ok(
        recording.events().some((event) => event.type === 'retry'),
        'a retry event',
      )
      assert.equal(recording.text('text'), 'only once\nand more')
      assert.equal(finalMessage, 'only once\nand more')
    },
  },
]
