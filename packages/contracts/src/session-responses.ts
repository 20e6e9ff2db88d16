import { Type, type Static } from 'typebox'
import { Ask } from './events.ts'
import { AskAnswerRequest } from './requests.ts'
import { Run } from './run-responses.ts'
import { CancelReceipt, PendingReasonSchema, RunError, StatusSchema, Timestamp } from './values.ts'

export const AskList = Type.Object({ asks: Type.Array(Ask) }, { $id: 'AskList' })
export type AskList = Static<typeof AskList>

export const AskAnswered = Type.Object(
  { session_id: Type.String(), ask_id: Type.String(), answer: AskAnswerRequest },
  { $id: 'AskAnswered', description: 'The agent has the answer and goes on.' },
)
export type AskAnswered = Static<typeof AskAnswered>

const sessionHead = {
  session_id: Type.String(),
  status: StatusSchema,
  executor: Type.String({ examples: ['server'] }),
  labels: Type.Record(Type.String(), Type.String()),
  created_at: Timestamp,
  last_activity: Timestamp,
  run_id: Type.Optional(Type.String({ description: 'The run that `status` is of.' })),
  last_event_id: Type.Integer({ minimum: 0 }),
  closed: Type.Boolean({
    description: 'True once the session has been deleted, or its retention is over: it can be read, not used.',
  }),
}

export const SessionSummary = Type.Object(sessionHead, { $id: 'SessionSummary' })
export type SessionSummary = Static<typeof SessionSummary>

export const Session = Type.Object(
  {
    ...sessionHead,
    remote_session_id: Type.Optional(Type.String({ description: "The engine's own id." })),
    workspace: Type.Optional(Type.String()),
    runs: Type.Array(Run, { description: 'The latest runs, oldest first.' }),
    asks: Type.Array(Ask, { description: 'What the agent waits for an answer to.' }),
    stream_url: Type.String(),
    status_url: Type.String(),
  },
  { $id: 'Session' },
)
export type SessionView = Static<typeof Session>

export const SessionCreated = Type.Object(
  {
    session_id: Type.String(),
    remote_session_id: Type.Union([Type.String(), Type.Null()], {
      description: "The engine's own id; null until the engine has one.",
    }),
    status: StatusSchema,
    created_at: Timestamp,
    run_id: Type.Union([Type.String(), Type.Null()]),
    stream_url: Type.String({ examples: ['/sessions/6e0c…/stream'] }),
    status_url: Type.String(),
  },
  { $id: 'SessionCreated' },
)
export type SessionCreated = Static<typeof SessionCreated>

export const StreamToken = Type.Object(
  {
    token: Type.String({ description: 'Opens the stream of this session, and nothing else.' }),
    expires_at: Timestamp,
    stream_url: Type.String({ examples: ['/sessions/6e0c…/stream?token=v1.…'] }),
  },
  { $id: 'StreamToken' },
)
export type StreamToken = Static<typeof StreamToken>

export const SessionList = Type.Object(
  { sessions: Type.Array(SessionSummary), next_cursor: Type.Union([Type.String(), Type.Null()]) },
  { $id: 'SessionList' },
)

export const SessionStatus = Type.Object(
  {
    session_id: Type.String(),
    status: StatusSchema,
    progress: Type.Integer({ minimum: 0, maximum: 100 }),
    current_tool: Type.Optional(Type.String()),
    queue_position: Type.Optional(Type.Integer({ minimum: 1 })),
    reason: Type.Optional(PendingReasonSchema),
    pending_asks: Type.Optional(Type.Integer({ minimum: 1, description: 'Asks that wait for an answer.' })),
    waiting_since: Type.Optional(Timestamp),
    created_at: Timestamp,
    last_activity: Timestamp,
    run_id: Type.Union([Type.String(), Type.Null()], { description: 'The run that all of this is of.' }),
    last_event_id: Type.Integer({ minimum: 0 }),
    error: Type.Optional(RunError),
  },
  { $id: 'SessionStatus' },
)
export type SessionStatus = Static<typeof SessionStatus>

export const SessionWorkspace = Type.Object(
  {
    session_id: Type.String(),
    files: Type.Integer({ minimum: 0, description: 'Without `.git`.' }),
    bytes: Type.Integer({ minimum: 0 }),
    truncated: Type.Boolean({ description: 'There are more files than are counted.' }),
    retention_seconds: Type.Optional(
      Type.Number({
        description: 'How long it is kept after the last change of the session; absent: until the session is deleted.',
      }),
    ),
    expires_at: Type.Optional(
      Type.String({
        format: 'date-time',
        description: 'When that is over; absent while a run is open, and without retention.',
      }),
    ),
    repository: Type.Optional(
      Type.Object({
        url: Type.String(),
        branch: Type.String({ description: 'The branch the agent works on.' }),
        base_branch: Type.String(),
        base_commit: Type.String(),
      }),
    ),
  },
  { $id: 'SessionWorkspace', description: 'The directory the session works in.' },
)
export type SessionWorkspace = Static<typeof SessionWorkspace>

export const RunAccepted = Type.Object(
  {
    session_id: Type.String(),
    run_id: Type.String(),
    status: StatusSchema,
    created_at: Timestamp,
    stream_url: Type.String(),
    status_url: Type.String(),
  },
  { $id: 'RunAccepted' },
)
export type RunAccepted = Static<typeof RunAccepted>

export const CancelResponse = Type.Object(
  {
    session_id: Type.String(),
    status: StatusSchema,
    cancelled_runs: Type.Array(Type.String()),
    receipt: CancelReceipt,
  },
  { $id: 'CancelResponse' },
)
export type CancelResponse = Static<typeof CancelResponse>
