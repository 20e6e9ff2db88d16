import {
  errorCodes,
  eventData,
  type AgentEventBody,
  type CompleteData,
  type RunOutcome,
} from '@opencode-gateway/contracts'
import { shapeProblem } from '@opencode-gateway/contracts/shape'
import type { Frame } from '../event-source.ts'

/** An event of the wire as the executor had yielded it; undefined for what the gateway adds itself. */
export function agentEventOf({ event: type, data }: Frame): AgentEventBody | undefined {
  if (type === 'status' || type === 'heartbeat') return undefined
  const { run_id: _runId, timestamp: _timestamp, ...rest } = data
  const body = { type, data: rest }
  if (!isAgentEvent(body)) throw new Error(`"${type}" is no event of an agent: ${JSON.stringify(data)}`)
  return body
}

function isAgentEvent(body: { type: string; data: unknown }): body is AgentEventBody {
  const schemas: Readonly<Record<string, (typeof eventData)[keyof typeof eventData]>> = eventData
  const schema = body.type === 'complete' ? undefined : schemas[body.type]
  return schema !== undefined && shapeProblem(schema, body.data) === undefined
}

/** The last event of a run as the outcome that the gateway had of its executor. */
export function outcomeOf({ event, data }: Frame): RunOutcome {
  if (event !== 'complete' || !isComplete(data)) throw new Error(`no ending of a run: ${JSON.stringify(data)}`)
  const { outcome, success, final_message: finalMessage, error, exit_code: exitCode, structured, usage } = data
  if (success !== (outcome === 'completed')) throw new Error(`the outcome "${outcome}" with success ${success}`)
  return {
    // Deadlines are not the executor's: seen from here a run over its limit has failed.
    status: outcome === 'timed_out' || outcome === 'budget_exceeded' ? 'failed' : outcome,
    finalMessage,
    usage,
    evidence: data.evidence ?? { checks: [], checked_at: String(data['timestamp']) },
    ...(error === undefined ? {} : { error: { ...error, code: codeOf(error.code) } }),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(structured === undefined ? {} : { structured }),
  }
}

type CompleteFrame = CompleteData & Record<string, unknown>

function isComplete(data: Record<string, unknown>): data is CompleteFrame {
  return shapeProblem(eventData.complete, data) === undefined
}

function codeOf(code: string): NonNullable<RunOutcome['error']>['code'] {
  const known = errorCodes.find((candidate) => candidate === code)
  if (known === undefined) throw new Error(`"${code}" is no error code`)
  return known
}
