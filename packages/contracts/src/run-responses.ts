import { Type, type Static } from 'typebox'
import { Problem } from './problem.ts'
import {
  OutcomeSchema,
  PendingReasonSchema,
  RunError,
  RunStateSchema,
  StatusSchema,
  Timestamp,
  Timings,
  Usage,
} from './values.ts'

const runResult = {
  output: Type.String({ description: 'The whole answer of the agent.' }),
  execution_time: Type.String({ examples: ['2.5s'] }),
  request_id: Type.String(),
  session_id: Type.String(),
  run_id: Type.String(),
  outcome: OutcomeSchema,
  structured: Type.Optional(Type.Unknown()),
  exit_code: Type.Optional(Type.Integer()),
  stderr: Type.Optional(Type.String()),
  files_modified: Type.Array(Type.String()),
  branch: Type.Optional(Type.String({ description: 'The branch the work is on.' })),
  commit: Type.Optional(Type.String({ description: 'Its head; absent when nothing was changed.' })),
  base_commit: Type.Optional(Type.String()),
  pushed: Type.Optional(Type.Boolean()),
  pull_request_url: Type.Optional(Type.String()),
  workspace_kept: Type.Optional(
    Type.Literal(true, {
      description: 'The work could not be delivered; it stays until the session is deleted, or its retention is over.',
    }),
  ),
  usage: Usage,
  timings: Timings,
}

export const RunResponse = Type.Object(
  { success: Type.Literal(true), error: Type.Null(), ...runResult },
  { $id: 'RunResponse', description: 'A run that completed.' },
)
export type RunResponse = Static<typeof RunResponse>

export const RunProblem = Type.Object(
  { ...runResult, ...Problem.properties, success: Type.Literal(false) },
  { $id: 'RunProblem', description: 'A run that did not complete: what it did until then, and why it ended.' },
)
export type RunProblem = Static<typeof RunProblem>

export const Run = Type.Object(
  {
    run_id: Type.String(),
    kind: Type.Enum(['prompt', 'shell']),
    state: RunStateSchema,
    status: StatusSchema,
    reason: Type.Optional(PendingReasonSchema),
    prompt: Type.Optional(Type.String()),
    command: Type.Optional(Type.String()),
    created_at: Timestamp,
    started_at: Type.Optional(Timestamp),
    ended_at: Type.Optional(Timestamp),
    exit_code: Type.Optional(Type.Integer()),
    error: Type.Optional(RunError),
    usage: Type.Optional(Usage),
  },
  { $id: 'Run' },
)
export type RunView = Static<typeof Run>
