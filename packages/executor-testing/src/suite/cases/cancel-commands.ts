import assert from 'node:assert/strict'
import type { AgentSession } from '@opencode-gateway/contracts'
import type { ConformanceCase } from '../case.ts'
import { assertCancelled, assertCompleted, assertUsable, cancel } from '../checks.ts'
import type { Recording } from '../recording.ts'
import type { Scene } from '../scene.ts'

export const commandCancelCases: readonly ConformanceCase[] = [
  {
    group: 'cancel',
    name: 'a command tells its output while it runs, and can be cancelled then',
    needs: ['shell'],
    async run(scene) {
      const session = await scene.open()
      const recording = scene.command(session, 'echo begun; sleep 1000')
      await recording.untilText('stdout', 'begun')
      await cancel(scene, session)
      await assertCancelled(recording)
      assert.equal((await recording.outcome()).exitCode, undefined)
      await assertUsable(scene, session)
    },
  },
  {
    group: 'cancel',
    name: 'no process of a cancelled command lives on',
    needs: ['shell', 'followUps', 'processes'],
    async run(scene) {
      const session = await scene.open()
      const recording = scene.command(session, 'sleep 1000 & echo $!; wait')
      const pid = await untilPid(recording)
      await cancel(scene, session)
      await assertCancelled(recording)
      assert.ok(await isGone(scene, session, pid), `process ${pid} lives on`)
    },
  },
  {
    group: 'cancel',
    name: 'no process of a command lives on when its signal aborts',
    needs: ['shell', 'followUps', 'processes'],
    async run(scene) {
      const session = await scene.open()
      const leaving = new AbortController()
      const recording = scene.command(session, 'sleep 1000 & echo $!; wait', leaving.signal)
      const pid = await untilPid(recording)
      leaving.abort(new Error('no longer wanted'))
      await assertCancelled(recording)
      assert.ok(await isGone(scene, session, pid), `process ${pid} lives on`)
    },
  },
  {
    group: 'cancel',
    name: 'a process that will not end is killed, and the receipt says so',
    needs: ['shell', 'followUps', 'processes'],
    async run(scene) {
      const session = await scene.open()
      const recording = scene.command(session, 'trap "" TERM; sleep 1000 & echo $!; wait')
      const pid = await untilPid(recording)
      const { killed, escalated } = await cancel(scene, session)
      assert.ok(killed >= 1, 'the receipt counts nothing that was killed')
      assert.equal(escalated, true)
      await assertCancelled(recording)
      assert.ok(await isGone(scene, session, pid), `process ${pid} lives on`)
    },
  },
]

/** The pid that a command wrote. */
async function untilPid(recording: Recording): Promise<number> {
  await recording.untilText('stdout', '\n')
  const pid = Number(recording.text('stdout'))
  assert.ok(pid > 1, `"${recording.text('stdout')}" is no pid`)
  return pid
}

const MAX_LOOKS = 50

/** A process that was ended can still be signalled until its parent has taken note, which may be busy elsewhere. */
async function isGone(scene: Scene, session: AgentSession, pid: number): Promise<boolean> {
  for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
    const { exitCode } = await assertCompleted(scene.command(session, `kill -0 ${pid}`))
    if (exitCode !== 0) return true
  }
  return false
}
