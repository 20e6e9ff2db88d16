import assert from 'node:assert/strict'
import {
  CancelReceipt,
  errorCodes,
  eventData,
  Evidence,
  Usage,
  type AgentEventBody,
  type AgentSession,
  type RunOutcome,
} from '@opencode-gateway/contracts'
import { shapeProblem } from '@opencode-gateway/contracts/shape'
import { lines } from './lines.ts'
import type { Recording } from './recording.ts'
import type { Scene } from './scene.ts'

type Schema = Parameters<typeof shapeProblem>[0]

function assertShape(schema: Schema, value: unknown, what: string): void {
  const problem = shapeProblem(schema, value)
  if (problem !== undefined) assert.fail(`${what}: ${problem}, in ${JSON.stringify(value)}`)
}

export function assertOutcomeShape(outcome: RunOutcome): void {
  assertShape(Usage, outcome.usage, 'the usage')
  assertShape(Evidence, outcome.evidence, 'the evidence')
  assert.equal(typeof outcome.finalMessage, 'string')
  assert.equal(outcome.error === undefined, outcome.status === 'completed', 'an error is set unless completed')
  if (outcome.error) assert.ok(errorCodes.includes(outcome.error.code), `unknown code "${outcome.error.code}"`)
}

export function assertEventShape(event: AgentEventBody): void {
  const known: Record<string, Schema> = eventData
  const schema = known[event.type]
  if (!schema) assert.fail(`"${event.type}" is no event type`)
  assertShape(schema, event.data, event.type)
}

/** Compares texts without their white space: how parts are set apart is the executor's affair. */
export function assertSameText(actual: string, expected: string, what: string): void {
  assert.equal(squeeze(actual), squeeze(expected), what)
}

function squeeze(text: string): string {
  return text.replaceAll(/\s/g, '')
}

export async function assertCompleted(recording: Recording): Promise<RunOutcome> {
  const outcome = await recording.outcome()
  assertOutcomeShape(outcome)
  assert.equal(outcome.status, 'completed', `not completed: ${outcome.error?.code} ${outcome.error?.message}`)
  return outcome
}

export async function assertCancelled(recording: Recording): Promise<void> {
  const outcome = await recording.outcome()
  assertOutcomeShape(outcome)
  assert.equal(outcome.status, 'cancelled')
}

/** The run ended because something it asked for was refused. */
export async function assertStopped(recording: Recording): Promise<void> {
  const outcome = await recording.outcome()
  assertOutcomeShape(outcome)
  assert.equal(`${outcome.status} ${outcome.error?.code}`, 'failed AGENT_STOPPED')
  assert.equal(outcome.evidence.finish_reason, 'tool-calls')
}

type ToolResult = Extract<AgentEventBody, { type: 'tool_result' }>['data']

export function resultsOf(recording: Recording, tool: string): readonly ToolResult[] {
  return recording
    .events()
    .flatMap((event) => (event.type === 'tool_result' && event.data.tool === tool ? [event.data] : []))
}

/** Cancels and checks the receipt. */
export async function cancel(scene: Scene, session: AgentSession): Promise<CancelReceipt> {
  const receipt = await scene.settles('the cancellation', session.cancel(scene.ctx()))
  assertShape(CancelReceipt, receipt, 'the receipt')
  assert.equal(receipt.escalated, receipt.killed > 0, 'it escalated exactly when something had to be killed')
  return receipt
}

/** The session takes a prompt and answers it; where follow-ups are not supported there is nothing to show. */
export async function assertUsable(scene: Scene, session: AgentSession): Promise<void> {
  if (!scene.abilities.has('followUps')) return
  const outcome = await assertCompleted(scene.prompt(session, [lines.say('still here')]))
  assert.equal(outcome.finalMessage, 'still here')
}
