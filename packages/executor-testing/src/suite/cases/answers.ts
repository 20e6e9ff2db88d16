import assert from 'node:assert/strict'
import {
  answer,
  answerInVain,
  assertAllResolved,
  goneCodes,
  promptAttended,
  untilAsk,
  untilResolved,
} from '../asking.ts'
import type { ConformanceCase } from '../case.ts'
import { assertCompleted, assertStopped, resultsOf } from '../checks.ts'
import { lines } from '../lines.ts'

/** Which answers count, where there are several asks, several answers or none that was asked for. */
export const answerCases: readonly ConformanceCase[] = [
  {
    group: 'asks',
    name: 'two asks wait at once and are answered in any order',
    needs: ['asks'],
    async run(scene) {
      const session = await scene.open()
      const both = [lines.run('echo one'), lines.together(lines.run('echo two')), lines.say('done')]
      const recording = promptAttended(scene, session, ...both)
      const [first, second] = [await untilAsk(recording, 1), await untilAsk(recording, 2)]
      assert.notEqual(first.ask_id, second.ask_id)
      await answer(scene, session, second, { reply: 'once' })
      await untilResolved(recording, second)
      await answer(scene, session, first, { reply: 'once' })
      await assertCompleted(recording)
      assert.equal(resultsOf(recording, 'bash').filter(({ status }) => status === 'completed').length, 2)
      assertAllResolved(recording)
    },
  },
  {
    group: 'asks',
    name: 'a refusal of one ask leaves no other waiting',
    needs: ['asks'],
    async run(scene) {
      const session = await scene.open()
      const both = [lines.run('echo one'), lines.together(lines.run('echo two')), lines.say('never')]
      const recording = promptAttended(scene, session, ...both)
      const [refused] = [await untilAsk(recording, 1), await untilAsk(recording, 2)]
      await answer(scene, session, refused, { reply: 'reject' })
      await assertStopped(recording)
      assertAllResolved(recording)
    },
  },
  {
    group: 'asks',
    name: 'of several answers to one ask the first counts, and the others are told so',
    needs: ['asks'],
    async run(scene) {
      const session = await scene.open()
      const recording = promptAttended(scene, session, lines.run('echo x'), lines.say('done'))
      const ask = await untilAsk(recording)
      const answering = [1, 2].map(() => session.answer(ask.ask_id, { reply: 'once' }, scene.ctx()))
      const given = await scene.settles('two answers', Promise.allSettled(answering))
      assert.equal(given.filter(({ status }) => status === 'fulfilled').length, 1, 'answers that were taken')
      await assertCompleted(recording)
      await answerInVain(scene, session, ask, { given: { reply: 'once' }, codes: goneCodes })
      assertAllResolved(recording)
    },
  },
  {
    group: 'asks',
    name: 'what was never asked cannot be answered',
    needs: ['asks'],
    async run(scene) {
      const session = await scene.open()
      const unheardOf = { given: { reply: 'once' }, codes: ['ASK_NOT_FOUND'] } as const
      await answerInVain(scene, session, { ask_id: 'per_unheard_of' }, unheardOf)
      const recording = promptAttended(scene, session, lines.run('echo x'), lines.say('done'))
      const ask = await untilAsk(recording)
      await answerInVain(scene, session, { ask_id: `${ask.ask_id}x` }, unheardOf)
      await answer(scene, session, ask, { reply: 'once' })
      await assertCompleted(recording)
    },
  },
  {
    group: 'asks',
    name: 'an ask is not answered through another session',
    session: 'own',
    needs: ['asks'],
    async run(scene) {
      const [asking, other] = [await scene.open(), await scene.open()]
      const recording = promptAttended(scene, asking, lines.run('echo x'), lines.say('done'))
      const ask = await untilAsk(recording)
      await answerInVain(scene, other, ask, { given: { reply: 'once' }, codes: ['ASK_NOT_FOUND'] })
      await answer(scene, asking, ask, { reply: 'once' })
      await assertCompleted(recording)
    },
  },
]
