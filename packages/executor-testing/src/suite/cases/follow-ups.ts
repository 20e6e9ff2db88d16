import assert from 'node:assert/strict'
import { GatewayError } from '@opencode-gateway/contracts'
import type { ConformanceCase } from '../case.ts'
import { assertCompleted } from '../checks.ts'
import { lines } from '../lines.ts'

export const followUpCases: readonly ConformanceCase[] = [
  {
    group: 'follow-ups',
    name: 'a second run sees its own answer only',
    needs: ['followUps'],
    async run(scene) {
      const session = await scene.open()
      await assertCompleted(scene.prompt(session, [lines.usage(1000, 100), lines.say('first answer')]))
      const second = scene.prompt(session, [lines.usage(100, 10), lines.say('second answer')])
      const { finalMessage, usage } = await assertCompleted(second)
      assert.equal(second.text('text'), 'second answer')
      assert.equal(finalMessage, 'second answer')
      assert.deepEqual([usage.model_calls, usage.tokens.input, usage.tokens.output], [1, 100, 10])
    },
  },
  {
    group: 'follow-ups',
    name: 'a second run finds the files of the first',
    needs: ['followUps'],
    async run(scene) {
      const session = await scene.open()
      await assertCompleted(scene.prompt(session, [lines.write('left.txt', 'from the first run')]))
      const second = scene.prompt(session, [lines.read('left.txt'), lines.say('read')])
      await assertCompleted(second)
      const results = second
        .events()
        .flatMap((event) => (event.type === 'tool_result' ? [event.data.result.output] : []))
      assert.match(results.join(''), /from the first run/)
    },
  },
  {
    group: 'follow-ups',
    name: 'a command sees what a prompt wrote, and the other way round',
    needs: ['followUps', 'shell'],
    async run(scene) {
      const session = await scene.open()
      await assertCompleted(scene.prompt(session, [lines.write('a.txt', 'by the agent')]))
      assert.equal((await assertCompleted(scene.command(session, 'cat a.txt'))).finalMessage, 'by the agent')
      await assertCompleted(scene.command(session, 'echo by hand > b.txt'))
      const last = scene.prompt(session, [lines.run('cat b.txt'), lines.say('seen')])
      await assertCompleted(last)
      const results = last.events().flatMap((event) => (event.type === 'tool_result' ? [event.data.result.output] : []))
      assert.match(results.join(''), /by hand/)
    },
  },
  {
    group: 'follow-ups',
    name: 'a second run while the first goes on is refused and does not disturb it',
    needs: ['followUps'],
    async run(scene) {
      const session = await scene.open()
      const gate = scene.newGate()
      const first = scene.prompt(session, [lines.say('one'), lines.gate(gate), lines.say('two')])
      await scene.waitForGate(gate)
      const thrown = await scene.prompt(session, [lines.say('intruder')]).thrown()
      assert.ok(thrown instanceof GatewayError, String(thrown))
      assert.equal(thrown.code, 'SESSION_BUSY')
      scene.release(gate)
      assert.equal((await assertCompleted(first)).finalMessage, 'one\ntwo')
    },
  },
]
