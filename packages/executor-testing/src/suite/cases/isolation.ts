import assert from 'node:assert/strict'
import type { ConformanceCase } from '../case.ts'
import { assertCancelled, assertCompleted, cancel } from '../checks.ts'
import { lines } from '../lines.ts'

export const isolationCases: readonly ConformanceCase[] = [
  {
    group: 'isolation',
    name: 'two runs at once see nothing of each other',
    async run(scene) {
      const [left, right] = [await scene.open(), await scene.open()]
      const gates = [scene.newGate(), scene.newGate()] as const
      const first = scene.prompt(left, [lines.say('left one'), lines.gate(gates[0]), lines.say('left two')])
      const second = scene.prompt(right, [lines.say('right one'), lines.gate(gates[1]), lines.say('right two')])
      await Promise.all(gates.map((gate) => scene.waitForGate(gate)))
      for (const gate of gates) scene.release(gate)
      assert.equal((await assertCompleted(first)).finalMessage, 'left one\nleft two')
      assert.equal((await assertCompleted(second)).finalMessage, 'right one\nright two')
      assert.equal(first.text('text'), 'left one\nleft two')
      assert.equal(second.text('text'), 'right one\nright two')
    },
  },
  {
    group: 'isolation',
    name: 'sessions have workspaces and refs of their own',
    async run(scene) {
      const sessions = await Promise.all(Array.from({ length: 5 }, () => scene.open()))
      assert.equal(new Set(sessions.map((session) => session.workspacePath)).size, 5)
      assert.equal(new Set(sessions.map((session) => JSON.stringify(session.ref))).size, 5)
    },
  },
  {
    group: 'isolation',
    name: 'a file of one session is not in the other',
    async run(scene) {
      const [owner, other] = [await scene.open(), await scene.open()]
      await assertCompleted(scene.prompt(owner, [lines.write('secret.txt', 'hidden')]))
      const recording = scene.prompt(other, [lines.run('cat secret.txt'), lines.say('looked')])
      await assertCompleted(recording)
      const result = recording.events().find((event) => event.type === 'tool_result')?.data.result
      assert.equal(result?.exit_code, 1)
      assert.doesNotMatch(result.output, /hidden/)
    },
  },
  {
    group: 'isolation',
    name: 'cancelling one session leaves the other at work',
    async run(scene) {
      const [doomed, other] = [await scene.open(), await scene.open()]
      const gate = scene.newGate()
      const lost = scene.prompt(doomed, [lines.say('begun'), lines.hang()])
      const kept = scene.prompt(other, [lines.say('one'), lines.gate(gate), lines.say('two')])
      await lost.untilText('text', 'begun')
      await scene.waitForGate(gate)
      await cancel(scene, doomed)
      await assertCancelled(lost)
      scene.release(gate)
      assert.equal((await assertCompleted(kept)).finalMessage, 'one\ntwo')
    },
  },
  {
    group: 'isolation',
    name: 'releasing one session leaves the other at work',
    async run(scene) {
      const [gone, other] = [await scene.open(), await scene.open()]
      const gate = scene.newGate()
      const kept = scene.prompt(other, [lines.write('mine.txt', 'mine'), lines.gate(gate), lines.run('cat mine.txt')])
      await scene.waitForGate(gate)
      await scene.settles('the release', gone.release('nothing'))
      scene.release(gate)
      await assertCompleted(kept)
      const codes = kept
        .events()
        .flatMap((event) => (event.type === 'tool_result' ? [event.data.result.exit_code] : []))
      assert.equal(codes.at(-1), 0)
    },
  },
]
