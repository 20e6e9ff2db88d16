import assert from 'node:assert/strict'
import type { AgentSession, CallContext, ForkSource } from '@opencode-gateway/contracts'
import type { ConformanceCase } from '../case.ts'
import { assertCompleted } from '../checks.ts'
import { lines } from '../lines.ts'
import type { Scene } from '../scene.ts'

function begin(scene: Scene, source: ForkSource, ctx: CallContext = scene.ctx()): Promise<AgentSession> {
  const { executor } = scene
  assert.ok(executor.fork, 'the executor has no fork')
  return scene.settles('the fork', executor.fork(source, scene.newSpec(), ctx))
}

/** What the file holds as the agent reads it; empty when it is not there. */
async function read(scene: Scene, session: AgentSession, name: string): Promise<string> {
  const recording = scene.prompt(session, [lines.run(`cat ${name}`), lines.say('read')])
  await assertCompleted(recording)
  const result = recording.events().find((event) => event.type === 'tool_result')?.data.result
  return result?.exit_code === 0 ? result.output.trim() : ''
}

/** A session that wrote a file, and its fork. */
async function forkOf(scene: Scene, file: string): Promise<{ source: AgentSession; forked: AgentSession }> {
  const spec = scene.newSpec()
  const source = await scene.open(spec)
  await assertCompleted(scene.prompt(source, [lines.write(file, file), lines.say('one')]))
  const forked = scene.adopt(await begin(scene, { sessionId: spec.sessionId, ref: source.ref }))
  return { source, forked }
}

export const forkCases: readonly ConformanceCase[] = [
  {
    group: 'forks',
    name: 'a fork begins with the files of the other session, and from then on each has its own',
    needs: ['fork', 'followUps'],
    async run(scene) {
      const { source, forked } = await forkOf(scene, 'both.txt')
      assert.notEqual(forked.workspacePath, source.workspacePath)
      assert.equal(await read(scene, forked, 'both.txt'), 'both.txt')
      await assertCompleted(scene.prompt(forked, [lines.write('fork.txt', 'of the fork'), lines.say('two')]))
      await assertCompleted(scene.prompt(source, [lines.write('both.txt', 'changed'), lines.say('three')]))
      assert.equal(await read(scene, forked, 'both.txt'), 'both.txt')
      assert.equal(await read(scene, source, 'fork.txt'), '')
    },
  },
  {
    group: 'forks',
    name: 'a fork outlives the session it was made from, and is found again by its own ref',
    needs: ['fork', 'followUps'],
    async run(scene) {
      const { source, forked } = await forkOf(scene, 'kept.txt')
      await scene.settles('the release', source.release('nothing'))
      const stored = JSON.parse(JSON.stringify(forked.ref)) as AgentSession['ref']
      const found = await scene.settles('attach', scene.executor.attach(stored, scene.ctx()))
      assert.ok(found, 'the fork is not found')
      scene.adopt(found)
      assert.equal(await read(scene, found, 'kept.txt'), 'kept.txt')
    },
  },
  {
    group: 'forks',
    name: 'a fork of what is not there, or not wanted any more, is refused and leaves nothing',
    needs: ['fork'],
    async run(scene) {
      const spec = scene.newSpec()
      const source = await scene.open(spec)
      const ofSource = { sessionId: spec.sessionId, ref: source.ref }
      const gone = scene.ctx(AbortSignal.abort(new Error('not wanted')))
      await assert.rejects(begin(scene, ofSource, gone), /not wanted/)
      await scene.settles('the release', source.release('nothing'))
      await assert.rejects(begin(scene, ofSource))
    },
  },
]
