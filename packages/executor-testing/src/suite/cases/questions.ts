import assert from 'node:assert/strict'
import { answer, answerInVain, assertAllResolved, untilAsk } from '../asking.ts'
import type { ConformanceCase } from '../case.ts'
import { assertCompleted, assertEventShape, assertStopped, assertUsable, resultsOf } from '../checks.ts'
import { lines } from '../lines.ts'

const attended = { interactive: true } as const

export const questionCases: readonly ConformanceCase[] = [
  {
    group: 'asks',
    name: 'a question is asked with its choices, and the answer reaches the agent',
    needs: ['asks'],
    async run(scene) {
      const session = await scene.open()
      const recording = scene.prompt(session, [lines.question('Shall I?'), lines.say('as you wish')], attended)
      const ask = await untilAsk(recording)
      assert.equal(ask.kind, 'question')
      assert.equal(ask.questions?.length, 1)
      const asked = ask.questions[0] as { header?: string; question?: string; options?: { label?: string }[] }
      assert.equal(`${asked.header}: ${asked.question}`, 'Choice: Shall I?')
      assert.deepEqual(
        asked.options?.map(({ label }) => label),
        ['yes', 'no'],
      )
      await answerInVain(scene, session, ask, { given: { reply: 'once' }, codes: ['INVALID_REQUEST'] })
      await answer(scene, session, ask, { answers: [['yes']] })
      assert.equal((await assertCompleted(recording)).finalMessage, 'as you wish')
      const [result] = resultsOf(recording, 'question')
      assert.equal(result?.status, 'completed')
      assert.match(result.result.output, /yes/)
      assert.equal(ask.call_id, result.call_id, 'the ask names its tool call')
      assertAllResolved(recording)
      for (const event of recording.events()) assertEventShape(event)
    },
  },
  {
    group: 'asks',
    name: 'a dismissed question stops the agent, which is no completed run',
    needs: ['asks'],
    async run(scene) {
      const session = await scene.open()
      const recording = scene.prompt(session, [lines.question('Shall I?'), lines.say('never')], attended)
      await answer(scene, session, await untilAsk(recording), { reject: true })
      await assertStopped(recording)
      assert.deepEqual(
        resultsOf(recording, 'question').map(({ status }) => status),
        ['error'],
      )
      assertAllResolved(recording)
      assert.equal(recording.text('text'), '')
      await assertUsable(scene, session)
    },
  },
]
