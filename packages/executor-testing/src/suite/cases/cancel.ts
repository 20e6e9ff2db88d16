import assert from 'node:assert/strict'
import type { AgentSession } from '@opencode-gateway/contracts'
import { answerInVain, goneCodes, isThere, untilAsk } from '../asking.ts'
import type { ConformanceCase } from '../case.ts'
import { assertCancelled, assertCompleted, assertUsable, cancel } from '../checks.ts'
import { lines } from '../lines.ts'
import type { Recording } from '../recording.ts'
import type { Scene } from '../scene.ts'

/** A run that has said something and goes on for ever. */
async function startEndless(scene: Scene, session: AgentSession, signal?: AbortSignal): Promise<Recording> {
  const recording = scene.prompt(session, [lines.say('begun'), lines.hang()], signal ? { signal } : {})
  await recording.untilText('text', 'begun')
  return recording
}

export const cancelCases: readonly ConformanceCase[] = [
  {
    group: 'cancel',
    name: 'a run is cancelled before its first text',
    async run(scene) {
      const session = await scene.open()
      const gate = scene.newGate()
      const recording = scene.prompt(session, [lines.gate(gate), lines.say('never')])
      await scene.waitForGate(gate)
      await cancel(scene, session)
      await assertCancelled(recording)
      assert.equal(recording.text('text'), '')
      await assertUsable(scene, session)
    },
  },
  {
    group: 'cancel',
    name: 'a run is cancelled in mid stream, and the receipt counts it',
    async run(scene) {
      const session = await scene.open()
      const recording = await startEndless(scene, session)
      const receipt = await cancel(scene, session)
      assert.ok(receipt.aborted_sessions >= 1, 'no session was told to stop')
      await assertCancelled(recording)
      await assertUsable(scene, session)
    },
  },
  {
    group: 'cancel',
    name: 'cancelling twice at once gives two receipts and one outcome',
    async run(scene) {
      const session = await scene.open()
      const recording = await startEndless(scene, session)
      await Promise.all([cancel(scene, session), cancel(scene, session)])
      await assertCancelled(recording)
      await assertUsable(scene, session)
    },
  },
  {
    group: 'cancel',
    name: 'cancelling an idle session does nothing, and its next run is not cancelled',
    async run(scene) {
      const session = await scene.open()
      const { killed } = await cancel(scene, session)
      assert.equal(killed, 0, 'something was killed')
      assert.equal((await assertCompleted(scene.prompt(session, [lines.say('one')]))).finalMessage, 'one')
      await cancel(scene, session)
      await assertUsable(scene, session)
    },
  },
  {
    group: 'cancel',
    name: 'leaving the iteration stops the run',
    async run(scene) {
      const session = await scene.open()
      const prompt = [lines.say('begun'), lines.hang()].join('\n')
      const run = session.run({ kind: 'prompt', runId: 'left-early', prompt }, scene.ctx())
      const leave = async (): Promise<void> => {
        for await (const item of run) if (item.type === 'output') break
      }
      await scene.settles('the iteration to be left', leave())
      await assertUsable(scene, session)
    },
  },
  {
    group: 'cancel',
    name: 'an abort of the signal stops the run, which ends cancelled',
    async run(scene) {
      const session = await scene.open()
      const leaving = new AbortController()
      const recording = await startEndless(scene, session, leaving.signal)
      leaving.abort(new Error('no longer wanted'))
      await assertCancelled(recording)
      await assertUsable(scene, session)
    },
  },
  {
    group: 'cancel',
    name: 'a run whose signal is aborted already does nothing',
    async run(scene) {
      const session = await scene.open()
      const recording = scene.prompt(session, [lines.say('never')], {
        signal: AbortSignal.abort(new Error('too late')),
      })
      await assertCancelled(recording)
      assert.equal(recording.text('text'), '')
      await assertUsable(scene, session)
    },
  },
  {
    group: 'cancel',
    name: 'what a cancelled run still had to do is not done',
    needs: ['followUps'],
    async run(scene) {
      const session = await scene.open()
      const gate = scene.newGate()
      const steps = [lines.say('begun'), lines.gate(gate), lines.write('late.txt', 'late'), lines.say('never')]
      const recording = scene.prompt(session, steps)
      await recording.untilText('text', 'begun')
      await scene.waitForGate(gate)
      await cancel(scene, session)
      scene.release(gate)
      await assertCancelled(recording)
      const check = scene.prompt(session, [lines.run('cat late.txt'), lines.say('looked')])
      assert.equal((await assertCompleted(check)).finalMessage, 'looked')
      assert.ok(!recording.events().some((event) => event.type === 'file'), 'the cancelled run wrote its file')
      const code = check.events().find((event) => event.type === 'tool_result')?.data.result.exit_code
      assert.equal(code, 1, 'the file of the cancelled run is there')
    },
  },
  {
    group: 'cancel',
    name: "a run is cancelled in the agent's command",
    async run(scene) {
      const session = await scene.open()
      const recording = scene.prompt(session, [lines.run('echo begun; sleep 1000'), lines.say('never')])
      await recording.until('a tool call', (item) => item.type === 'tool_call')
      await cancel(scene, session)
      await assertCancelled(recording)
      await assertUsable(scene, session)
    },
  },
  {
    group: 'cancel',
    name: 'a run is cancelled while the engine waits to call the model again',
    async run(scene) {
      const session = await scene.open()
      const recording = scene.prompt(session, [lines.error(429, 'retry-after=3600 times=9'), lines.say('never')])
      await recording.until('a retry', (item) => item.type === 'retry')
      await cancel(scene, session)
      await assertCancelled(recording)
      assert.equal(recording.text('text'), '')
      await assertUsable(scene, session)
    },
  },
  {
    group: 'cancel',
    name: 'a run is cancelled in a sub-agent, which does not go on either',
    needs: ['followUps'],
    async run(scene) {
      const session = await scene.open()
      const gate = scene.newGate()
      const child = lines.task(lines.gate(gate), lines.run('echo x > late.txt'), lines.say('never'))
      const recording = scene.prompt(session, [child, lines.say('never')])
      await scene.waitForGate(gate)
      const receipt = await cancel(scene, session)
      assert.ok(receipt.aborted_sessions >= 2, 'the sub-agent was not told to stop')
      scene.release(gate)
      await assertCancelled(recording)
      await assertUsable(scene, session)
      assert.equal(await isThere(scene, session, 'late.txt'), false)
    },
  },
  {
    group: 'cancel',
    name: 'a run is cancelled while an ask waits, which is gone then',
    needs: ['asks'],
    async run(scene) {
      const session = await scene.open()
      const options = { interactive: true, permissions: { bash: 'ask' } } as const
      const recording = scene.prompt(session, [lines.run('echo x > late.txt'), lines.say('never')], options)
      const ask = await untilAsk(recording)
      await cancel(scene, session)
      await assertCancelled(recording)
      await answerInVain(scene, session, ask, { given: { reply: 'once' }, codes: goneCodes })
      await assertUsable(scene, session)
      if (scene.abilities.has('followUps')) assert.equal(await isThere(scene, session, 'late.txt'), false)
    },
  },
]
