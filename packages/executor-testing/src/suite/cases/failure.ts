import assert from 'node:assert/strict'
import type { ErrorCode, RunOutcome } from '@opencode-gateway/contracts'
import type { ConformanceCase } from '../case.ts'
import { assertOutcomeShape, assertUsable } from '../checks.ts'
import { lines } from '../lines.ts'
import type { Recording } from '../recording.ts'

async function assertFailed(recording: Recording, codes: readonly ErrorCode[]): Promise<RunOutcome> {
  const outcome = await recording.outcome()
  assertOutcomeShape(outcome)
  assert.equal(outcome.status, 'failed')
  assert.ok(outcome.error && codes.includes(outcome.error.code), `${outcome.error?.code} is not ${codes.join(' or ')}`)
  assert.notEqual(outcome.error.message, '', 'the failure has a text')
  return outcome
}

export const failureCases: readonly ConformanceCase[] = [
  {
    group: 'failure',
    name: 'refused credentials fail the run with MODEL_AUTH, not to be retried',
    async run(scene) {
      const session = await scene.open()
      const outcome = await assertFailed(scene.prompt(session, [lines.error(401, 'wrong key')]), ['MODEL_AUTH'])
      assert.equal(outcome.error?.retryable, false)
      await assertUsable(scene, session)
    },
  },
  {
    group: 'failure',
    name: 'a refused request fails the run with MODEL_ERROR',
    async run(scene) {
      const session = await scene.open()
      await assertFailed(scene.prompt(session, [lines.error(400, 'bad request')]), ['MODEL_ERROR'])
      await assertUsable(scene, session)
    },
  },
  {
    group: 'failure',
    name: 'a failure after a tool step is a failed run',
    async run(scene) {
      const session = await scene.open()
      const steps = [lines.write('half.txt', 'half'), lines.error(401), lines.say('never')]
      const recording = scene.prompt(session, steps)
      await assertFailed(recording, ['MODEL_AUTH'])
      assert.ok(
        recording.events().some((event) => event.type === 'tool_result'),
        'the tool step is told',
      )
      await assertUsable(scene, session)
    },
  },
  {
    group: 'failure',
    name: 'a model that the engine does not know fails the run',
    needs: ['option:model'],
    async run(scene) {
      const session = await scene.open()
      const recording = scene.prompt(session, [lines.say('never')], { model: scene.unknownModel })
      await assertFailed(recording, ['MODEL_NOT_FOUND', 'MODEL_ERROR'])
      assert.equal(recording.text('text'), '')
    },
  },
]
