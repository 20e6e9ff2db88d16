import assert from 'node:assert/strict'
import { ExecutorError, type AgentSession } from '@opencode-gateway/contracts'
import type { ConformanceCase } from '../case.ts'
import { assertCompleted, assertUsable } from '../checks.ts'
import { lines } from '../lines.ts'
import type { Scene } from '../scene.ts'

async function attach(scene: Scene, { ref }: AgentSession): Promise<AgentSession | undefined> {
  // Through JSON, as the store keeps it.
  const stored = JSON.parse(JSON.stringify(ref)) as AgentSession['ref']
  return await scene.settles('attach', scene.executor.attach(stored, scene.ctx()))
}

export const lifecycleCases: readonly ConformanceCase[] = [
  {
    group: 'lifecycle',
    name: 'the executor declares what the suite relies on',
    async run({ executor, abilities }) {
      const { shell, followUps, survivesRestart, options } = executor.capabilities
      assert.equal(abilities.has('shell'), shell)
      assert.equal(abilities.has('followUps'), followUps)
      assert.equal(abilities.has('survivesRestart'), survivesRestart)
      assert.equal(abilities.has('fork'), executor.fork !== undefined)
      assert.equal(abilities.has('asks'), options.includes('interactive'))
      const claimed = [...abilities].filter((ability) => ability.startsWith('option:'))
      assert.deepEqual(new Set(claimed), new Set(options.map((option) => `option:${option}`)))
    },
  },
  {
    group: 'lifecycle',
    name: 'starting twice is starting once, and the check is well',
    async run(scene) {
      const { executor, deadline } = scene
      await scene.settles('a second start', executor.start(deadline.signal))
      const health = await scene.settles('the check', executor.check(deadline.signal))
      assert.equal(health.ok, true, health.reason)
      await assertUsable(scene, await scene.open())
    },
  },
  {
    group: 'lifecycle',
    name: 'a session that was opened and lost is opened again under its id',
    async run(scene) {
      const spec = scene.newSpec()
      await scene.open(spec)
      const again = await scene.open(spec)
      assert.equal((await assertCompleted(scene.prompt(again, [lines.say('again')]))).finalMessage, 'again')
    },
  },
  {
    group: 'lifecycle',
    name: 'a session is found again by its stored ref, with its files',
    needs: ['followUps'],
    async run(scene) {
      const session = await scene.open()
      await assertCompleted(scene.prompt(session, [lines.write('kept.txt', 'kept')]))
      const found = await attach(scene, session)
      assert.ok(found, 'a live session is not found')
      scene.adopt(found)
      assert.equal(found.workspacePath, session.workspacePath)
      const recording = scene.prompt(found, [lines.run('cat kept.txt'), lines.say('found')])
      assert.equal((await assertCompleted(recording)).finalMessage, 'found')
      const result = recording.events().find((event) => event.type === 'tool_result')?.data.result
      assert.equal(result?.exit_code, 0)
    },
  },
  {
    group: 'lifecycle',
    name: 'a released session is gone, and released again without complaint',
    async run(scene) {
      const session = await scene.open()
      await scene.settles('the release', session.release('nothing'))
      await scene.settles('a second release', session.release('nothing'))
      assert.equal(await attach(scene, session), undefined)
    },
  },
  {
    group: 'lifecycle',
    name: 'releasing a session at work stops its run',
    async run(scene) {
      const session = await scene.open()
      const recording = scene.prompt(session, [lines.say('begun'), lines.hang()])
      await recording.untilText('text', 'begun')
      await scene.settles('the release', session.release('nothing'))
      const { status } = await recording.outcome()
      assert.notEqual(status, 'completed')
    },
  },
  {
    group: 'lifecycle',
    name: 'opening with an aborted signal is refused and leaves nothing',
    async run(scene) {
      const gone = scene.ctx(AbortSignal.abort(new Error('not wanted')))
      await assert.rejects(scene.settles('open', scene.executor.open(scene.newSpec(), gone)))
    },
  },
  {
    group: 'lifecycle',
    name: 'an abort while a session opens leaves nothing, or a session that works',
    async run(scene) {
      const leaving = new AbortController()
      const opening = scene.executor.open(scene.newSpec(), scene.ctx(leaving.signal))
      leaving.abort(new Error('no longer wanted'))
      const [opened] = await scene.settles('open', Promise.allSettled([opening]))
      if (opened.status === 'fulfilled') await assertUsable(scene, scene.adopt(opened.value))
    },
  },
  {
    group: 'lifecycle',
    name: 'a sweep removes what no live session needs, and nothing else',
    needs: ['sweep'],
    async run(scene) {
      const { executor } = scene
      const [liveSpec, goneSpec] = [scene.newSpec(), scene.newSpec()]
      const live = await scene.open(liveSpec)
      await assertCompleted(scene.prompt(live, [lines.write('needed.txt', 'needed')]))
      // As after a crash between the opening and the storing of the ref: nobody will ever release it.
      const gone = await scene.open(goneSpec)
      const both = new Set([liveSpec.sessionId, goneSpec.sessionId])
      const idle = await scene.settles('the first sweep', executor.sweep(both, scene.ctx()))
      assert.deepEqual(idle, { removed: [], failed: [] })
      const needed = new Set([liveSpec.sessionId])
      const swept = await scene.settles('the second sweep', executor.sweep(needed, scene.ctx()))
      assert.ok(swept.removed.length > 0, 'nothing was removed')
      assert.deepEqual(swept.failed, [])
      const again = await scene.settles('the third sweep', executor.sweep(needed, scene.ctx()))
      assert.deepEqual(again, { removed: [], failed: [] })
      assert.equal(await attach(scene, gone), undefined)
      if (!scene.abilities.has('followUps')) return
      const recording = scene.prompt(live, [lines.run('cat needed.txt'), lines.say('still there')])
      await assertCompleted(recording)
      assert.equal(recording.events().find((event) => event.type === 'tool_result')?.data.result.exit_code, 0)
    },
  },
  {
    group: 'lifecycle',
    name: 'closed twice, the executor is not well and opens nothing',
    needs: ['close'],
    async run(scene) {
      const { executor, deadline } = scene
      const session = await scene.open()
      await scene.settles('the release', session.release('nothing'))
      await scene.settles('close', executor.close())
      await scene.settles('a second close', executor.close())
      const opening = scene.settles('open', executor.open(scene.newSpec(), scene.ctx()))
      const refused = await opening.then(
        () => assert.fail('a closed executor opened a session'),
        (error: unknown) => error,
      )
      assert.ok(refused instanceof ExecutorError, String(refused))
      assert.equal(refused.code, 'EXECUTOR_UNAVAILABLE')
      const health = await scene.settles('the check', executor.check(deadline.signal))
      assert.equal(health.ok, false)
    },
  },
]
