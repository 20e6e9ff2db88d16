import assert from 'node:assert/strict'
import {
  GatewayError,
  type AgentSession,
  type AskAnswer,
  type AskData,
  type ErrorCode,
} from '@opencode-gateway/contracts'
import { lines } from './lines.ts'
import type { Recording } from './recording.ts'
import type { Scene } from './scene.ts'

/** What a run asked so far, oldest first. */
export function asksOf(recording: Recording): readonly AskData[] {
  return recording.events().flatMap((event) => (event.type === 'ask' ? [event.data] : []))
}

/** Ids of the asks that a run says are answered, in that order. */
export function resolvedIn(recording: Recording): readonly string[] {
  return recording.events().flatMap((event) => (event.type === 'ask_resolved' ? [event.data.ask_id] : []))
}

/** Waits until the run has asked so often; fails when it ends before. */
export async function untilAsk(recording: Recording, nth = 1): Promise<AskData> {
  await recording.until(`ask number ${nth}`, () => asksOf(recording).length >= nth)
  const ask = asksOf(recording)[nth - 1]
  assert.ok(ask)
  return ask
}

/** Waits until an ask is told as answered. */
export async function untilResolved(recording: Recording, { ask_id: askId }: AskData): Promise<void> {
  await recording.until('the answer to be told', () => resolvedIn(recording).includes(askId))
}

/** Waits for the end of a run that has asked enough; fails when it asks once more. */
export async function endWithoutAsk(recording: Recording, allowed = 0): Promise<void> {
  const asksMore = (): boolean => asksOf(recording).length > allowed
  await recording.until('its end or an ask', (item) => item.type === 'outcome' || asksMore())
  assert.equal(asksOf(recording).length, allowed, 'asks of the run')
}

export async function answer(
  scene: Scene,
  session: AgentSession,
  { ask_id: askId }: AskData,
  given: AskAnswer,
): Promise<void> {
  await scene.settles('the answer', session.answer(askId, given, scene.ctx()))
}

/** Answers and asserts that it is refused with one of the codes. */
export async function answerInVain(
  scene: Scene,
  session: AgentSession,
  { ask_id: askId }: Pick<AskData, 'ask_id'>,
  { given, codes }: { given: AskAnswer; codes: readonly ErrorCode[] },
): Promise<void> {
  const answering = session.answer(askId, given, scene.ctx())
  const error: unknown = await scene.settles('the answer', answering).then(
    () => assert.fail(`the answer ${JSON.stringify(given)} was taken`),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof GatewayError, String(error))
  assert.ok(codes.includes(error.code), `${error.code} is not ${codes.join(' or ')}`)
}

/** What an executor may say when nothing waits for the answer (any more). */
export const goneCodes: readonly ErrorCode[] = ['ASK_NOT_FOUND', 'ASK_RESOLVED']

/** The run says once of each ask that it was answered, and after the ask. */
export function assertAllResolved(recording: Recording): void {
  const asked = asksOf(recording).map(({ ask_id: askId }) => askId)
  assert.deepEqual([...resolvedIn(recording)].sort(), [...asked].sort(), 'each ask is told once as answered')
  for (const askId of asked) {
    const order = recording
      .events()
      .flatMap((event) =>
        (event.type === 'ask' || event.type === 'ask_resolved') && event.data.ask_id === askId ? [event.type] : [],
      )
    assert.deepEqual(order, ['ask', 'ask_resolved'])
  }
}

/** Looks with a run of its own whether a file is there. */
export async function isThere(scene: Scene, session: AgentSession, path: string): Promise<boolean> {
  const looking = scene.prompt(session, [lines.run(`cat ${path}`), lines.say('looked')])
  await looking.outcome()
  const result = looking.events().find((event) => event.type === 'tool_result')?.data.result
  assert.ok(typeof result?.exit_code === 'number', 'the look has an exit code')
  return result.exit_code === 0
}

/** Somebody is there, and is asked before each command. */
export const attended = { interactive: true, permissions: { bash: 'ask' } } as const

/** A prompt of a run that is attended. */
export function promptAttended(scene: Scene, session: AgentSession, ...steps: readonly string[]): Recording {
  return scene.prompt(session, steps, attended)
}
