import assert from 'node:assert/strict'
import {
  answer,
  answerInVain,
  asksOf,
  assertAllResolved,
  endWithoutAsk,
  isThere,
  promptAttended,
  untilAsk,
} from '../asking.ts'
import type { ConformanceCase } from '../case.ts'
import { assertCompleted, assertEventShape, assertStopped, assertUsable, resultsOf } from '../checks.ts'
import { lines } from '../lines.ts'

export const permissionCases: readonly ConformanceCase[] = [
  {
    group: 'asks',
    name: 'a permission is asked for with all one needs to know, and once granted the tool goes on',
    needs: ['asks'],
    async run(scene) {
      const session = await scene.open()
      const recording = promptAttended(scene, session, lines.run('echo granted'), lines.say('done'))
      const ask = await untilAsk(recording)
      assert.equal(`${ask.kind} ${ask.permission}`, 'permission bash')
      assert.deepEqual(ask.patterns, ['echo granted'])
      await answer(scene, session, ask, { reply: 'once' })
      assert.equal((await assertCompleted(recording)).finalMessage, 'done')
      const call = recording.events().find((event) => event.type === 'tool_call')
      assert.equal(ask.call_id, call?.data.call_id, 'the ask names its tool call')
      assert.deepEqual(
        resultsOf(recording, 'bash').map(({ status, result }) => [status, result.exit_code]),
        [['completed', 0]],
      )
      assertAllResolved(recording)
      for (const event of recording.events()) assertEventShape(event)
    },
  },
  {
    group: 'asks',
    name: 'while an ask waits nothing goes on, and an answer of another kind changes nothing',
    needs: ['asks'],
    async run(scene) {
      const session = await scene.open()
      const recording = promptAttended(scene, session, lines.run('echo granted'), lines.say('done'))
      const ask = await untilAsk(recording)
      await answerInVain(scene, session, ask, { given: { answers: [['yes']] }, codes: ['INVALID_REQUEST'] })
      const onwards = recording.items.filter(({ type }) => ['tool_result', 'ask_resolved', 'outcome'].includes(type))
      assert.deepEqual(onwards, [], 'it went on without an answer')
      await answer(scene, session, ask, { reply: 'once' })
      await assertCompleted(recording)
    },
  },
  {
    group: 'asks',
    name: 'what was granted once is asked for the next time',
    needs: ['asks'],
    async run(scene) {
      const session = await scene.open()
      const recording = promptAttended(scene, session, lines.run('echo x'), lines.run('echo x'), lines.say('done'))
      for (const nth of [1, 2]) await answer(scene, session, await untilAsk(recording, nth), { reply: 'once' })
      await assertCompleted(recording)
      assert.equal(new Set(asksOf(recording).map(({ ask_id: askId }) => askId)).size, 2)
    },
  },
  {
    group: 'asks',
    name: 'what was granted always is not asked for again in the session',
    session: 'own',
    needs: ['asks'],
    async run(scene) {
      const session = await scene.open()
      const recording = promptAttended(scene, session, lines.run('echo x'), lines.run('echo x'), lines.say('done'))
      await answer(scene, session, await untilAsk(recording), { reply: 'always' })
      await endWithoutAsk(recording, 1)
      await assertCompleted(recording)
      if (!scene.abilities.has('followUps')) return
      const next = promptAttended(scene, session, lines.run('echo x'), lines.say('done'))
      await endWithoutAsk(next)
      await assertCompleted(next)
    },
  },
  {
    group: 'asks',
    name: 'what was granted always in one session is asked for in another',
    session: 'own',
    needs: ['asks'],
    async run(scene) {
      const [trusting, other] = [await scene.open(), await scene.open()]
      const first = promptAttended(scene, trusting, lines.run('echo x'), lines.say('done'))
      await answer(scene, trusting, await untilAsk(first), { reply: 'always' })
      await assertCompleted(first)
      const second = promptAttended(scene, other, lines.run('echo x'), lines.say('done'))
      await answer(scene, other, await untilAsk(second), { reply: 'once' })
      await assertCompleted(second)
    },
  },
  {
    group: 'asks',
    name: 'a refusal fails the tool and stops the agent, which is no completed run',
    needs: ['asks'],
    async run(scene) {
      const session = await scene.open()
      const recording = promptAttended(scene, session, lines.run('echo x > refused.txt'), lines.say('never'))
      await answer(scene, session, await untilAsk(recording), { reply: 'reject' })
      await assertStopped(recording)
      assert.deepEqual(
        resultsOf(recording, 'bash').map(({ status }) => status),
        ['error'],
      )
      assertAllResolved(recording)
      assert.equal(recording.text('text'), '')
      await assertUsable(scene, session)
      if (scene.abilities.has('followUps')) assert.equal(await isThere(scene, session, 'refused.txt'), false)
    },
  },
  {
    group: 'asks',
    name: 'a refusal with a reason reaches the model, which goes on',
    needs: ['asks'],
    async run(scene) {
      const session = await scene.open()
      const recording = promptAttended(scene, session, lines.run('echo x'), lines.say('another way'))
      await answer(scene, session, await untilAsk(recording), { reply: 'reject', message: 'rather by hand' })
      assert.equal((await assertCompleted(recording)).finalMessage, 'another way')
      const [result] = resultsOf(recording, 'bash')
      assert.equal(result?.status, 'error')
      assert.match(result.error ?? '', /rather by hand/)
    },
  },
  {
    group: 'asks',
    name: 'of the rules that match an action the last one counts',
    needs: ['asks'],
    async run(scene) {
      const session = await scene.open()
      const permissions = { bash: { '*': 'ask', 'echo free*': 'allow' } } as const
      const steps = [lines.run('echo free'), lines.run('echo asked'), lines.say('done')]
      const recording = scene.prompt(session, steps, { interactive: true, permissions })
      const ask = await untilAsk(recording)
      assert.deepEqual(ask.patterns, ['echo asked'])
      await answer(scene, session, ask, { reply: 'once' })
      await endWithoutAsk(recording, 1)
      await assertCompleted(recording)
    },
  },
  {
    group: 'asks',
    name: 'what a rule asks about is not done unasked by a sub-agent',
    needs: ['asks', 'followUps'],
    async run(scene) {
      const session = await scene.open()
      const child = lines.task(lines.run('echo x > unasked.txt'), lines.say('tried'))
      const recording = promptAttended(scene, session, child, lines.say('done'))
      // Asking and refusing are both right.
      await recording.until('its end or an ask', ({ type }) => type === 'outcome' || type === 'ask')
      for (const ask of asksOf(recording)) await answer(scene, session, ask, { reply: 'reject', message: 'not now' })
      await recording.outcome()
      assertAllResolved(recording)
      assert.equal(await isThere(scene, session, 'unasked.txt'), false)
    },
  },
]
