import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { AgentEventBody, RunInput } from '@opencode-gateway/contracts'
import type { ConformanceCase } from '../case.ts'
import { assertCancelled, assertCompleted, assertUsable, cancel } from '../checks.ts'
import { lines } from '../lines.ts'
import { findAgain, resume, resumeWatched, startWatched, type Lost } from '../losing-sight.ts'
import { joinOutput, record } from '../recording.ts'
import type { Scene } from '../scene.ts'
import { askRecoveryCases } from './ask-recovery.ts'

interface LostAtGate extends Lost {
  readonly gate: string
}

/** Starts a run, lets go of it at a gate and finds its session again. */
async function loseSight(scene: Scene, after: readonly string[]): Promise<LostAtGate> {
  const gate = scene.newGate()
  const steps = [lines.write('once.txt', 'once'), lines.say('one two'), lines.gate(gate), ...after]
  const watched = startWatched(scene, await scene.open(), { steps })
  await watched.recording.untilText('text', 'one two')
  await scene.waitForGate(gate)
  return { ...(await findAgain(scene, watched)), gate }
}

/** All a run told, but for what differs from run to run: ids and times. */
function transcript(events: readonly AgentEventBody[]): object {
  const usages = events.flatMap(({ type, data }) => (type === 'usage' ? [data.model_calls] : []))
  return {
    text: joinOutput(events, 'text'),
    reasoning: joinOutput(events, 'reasoning'),
    stdout: joinOutput(events, 'stdout'),
    calls: events.flatMap(({ type, data }) => (type === 'tool_call' ? [[data.tool, JSON.stringify(data.args)]] : [])),
    results: events.flatMap(({ type, data }) =>
      type === 'tool_result' ? [[data.tool, data.status, data.result.output, data.result.exit_code]] : [],
    ),
    // A change may be told by the tool and by who watches the directory.
    files: [...new Set(events.flatMap(({ type, data }) => (type === 'file' ? [data.path] : [])))],
    todos: events.flatMap(({ type, data }) => (type === 'todo' ? [data.todos.map(({ content }) => content)] : [])),
    // Whoever counts the calls themselves may be ahead of an event that is told a little later.
    modelCalls: [usages.length, usages.at(-1)],
  }
}

/** It has ended unfinished, without another step, and its session takes the next run. */
async function assertStopped(scene: Scene, lost: Lost): Promise<void> {
  const resumed = resume(scene, lost)
  const { status } = await resumed.outcome()
  assert.ok(status === 'cancelled' || status === 'interrupted', status)
  assert.ok(!resumed.events().some(({ type }) => type === 'tool_call'), 'it went on')
  await assertUsable(scene, lost.found)
}

export const recoveryCases: readonly ConformanceCase[] = [
  {
    group: 'recovery',
    name: 'a run that goes on unseen is found again: nothing is missing and nothing comes twice',
    async run(scene) {
      const lost = await loseSight(scene, [lines.say('three four')])
      const resumed = resume(scene, lost)
      scene.release(lost.gate)
      const { finalMessage } = await assertCompleted(resumed)
      const all = [...lost.before, ...resumed.events()]
      assert.equal(joinOutput(all, 'text'), 'one two\nthree four')
      assert.equal(finalMessage, 'one two\nthree four')
      const calls = all.flatMap((event) => (event.type === 'tool_call' ? [event.data.call_id] : []))
      const results = all.flatMap((event) => (event.type === 'tool_result' ? [event.data.call_id] : []))
      assert.equal(calls.length, 1)
      assert.deepEqual(results, calls)
    },
  },
  {
    group: 'recovery',
    name: 'a run that is lost sight of twice has told in three parts what another tells in one',
    async run(scene) {
      const gates = [scene.newGate(), scene.newGate()] as const
      const steps = [
        lines.think('Let me see'),
        lines.todo('first', '[x] second'),
        lines.run('echo out; exit 3'),
        lines.say('one'),
        lines.gate(gates[0]),
        lines.write('a.txt', 'a'),
        lines.read('missing.txt'),
        lines.say('two'),
        lines.gate(gates[1]),
        lines.run('echo more'),
        lines.say('three'),
      ]
      const watched = startWatched(scene, await scene.open(), { steps })
      await scene.waitForGate(gates[0])
      const lost = await findAgain(scene, watched)
      scene.release(gates[0])
      const second = resumeWatched(scene, lost)
      await scene.waitForGate(gates[1])
      const lostAgain = await findAgain(scene, second, lost.before)
      scene.release(gates[1])
      const third = resume(scene, lostAgain)
      const { finalMessage, usage } = await assertCompleted(third)

      const whole = scene.prompt(await scene.open(), steps)
      const expected = await assertCompleted(whole)
      assert.deepEqual(transcript([...lostAgain.before, ...third.events()]), transcript(whole.events()))
      assert.equal(finalMessage, expected.finalMessage)
      assert.deepEqual(usage.tokens, expected.usage.tokens)
    },
  },
  {
    group: 'recovery',
    name: 'a command that goes on unseen is found again with its output and its exit code',
    needs: ['shell'],
    async run(scene) {
      const command = 'echo one; sleep 1; echo two; echo err >&2; exit 3'
      const watched = startWatched(scene, await scene.open(), { command })
      await watched.recording.untilText('stdout', 'one\n')
      const lost = await findAgain(scene, watched)
      // Where sleeping is simulated, this is what ends it.
      scene.release('sleep 1')
      const resumed = resume(scene, lost)
      const { finalMessage, exitCode } = await assertCompleted(resumed)
      const all = [...lost.before, ...resumed.events()]
      assert.equal(joinOutput(all, 'stdout'), 'one\ntwo\n')
      assert.equal(joinOutput(all, 'stderr'), 'err\n')
      assert.equal(finalMessage, 'one\ntwo\n')
      assert.equal(exitCode, 3)
    },
  },
  {
    group: 'recovery',
    name: 'a run that ended unseen is told to its end',
    async run(scene) {
      const lost = await loseSight(scene, [lines.say('three four')])
      scene.release(lost.gate)
      const resumed = resume(scene, lost)
      await assertCompleted(resumed)
      assert.equal(joinOutput([...lost.before, ...resumed.events()], 'text'), 'one two\nthree four')
      await assertUsable(scene, lost.found)
    },
  },
  {
    group: 'recovery',
    name: 'a run that was found again can be cancelled',
    async run(scene) {
      const lost = await loseSight(scene, [lines.say('never')])
      const resumed = resume(scene, lost)
      await cancel(scene, lost.found)
      await assertCancelled(resumed)
      await assertUsable(scene, lost.found)
    },
  },
  {
    group: 'recovery',
    name: 'a run that was cancelled unseen is told as stopped',
    async run(scene) {
      const lost = await loseSight(scene, [lines.write('late.txt', 'late'), lines.say('never')])
      await cancel(scene, lost.found)
      scene.release(lost.gate)
      await assertStopped(scene, lost)
    },
  },
  {
    group: 'recovery',
    name: 'whoever turns away from a run that is found again before its first event has ended it',
    async run(scene) {
      const lost = await loseSight(scene, [lines.write('late.txt', 'late'), lines.say('never')])
      const events = lost.found.resume({ input: lost.input, events: lost.before }, scene.ctx())[Symbol.asyncIterator]()
      await scene.settles('the return', Promise.resolve(events.return?.()))
      scene.release(lost.gate)
      await assertStopped(scene, lost)
    },
  },
  {
    group: 'recovery',
    name: 'a run that fails unseen is told as failed',
    async run(scene) {
      const lost = await loseSight(scene, [lines.run('true'), lines.error(401)])
      scene.release(lost.gate)
      const { status, error } = await resume(scene, lost).outcome()
      assert.equal(`${status} ${error?.code}`, 'failed MODEL_AUTH')
    },
  },
  {
    group: 'recovery',
    name: 'a run that the engine never saw is interrupted, and not begun',
    async run(scene) {
      const session = await scene.open()
      const unseen: RunInput = { kind: 'prompt', runId: randomUUID(), prompt: lines.say('never') }
      const resumed = record(() => session.resume({ input: unseen, events: [] }, scene.ctx()), scene.deadline)
      const { status, error } = await resumed.outcome()
      assert.equal(`${status} ${error?.code}`, 'interrupted RUN_INTERRUPTED')
      assert.equal(error?.retryable, true)
      assert.equal(resumed.text('text'), '')
      await assertUsable(scene, session)
    },
  },
  ...askRecoveryCases,
]
