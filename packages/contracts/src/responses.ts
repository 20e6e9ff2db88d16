import { Type, type Static } from 'typebox'
import { errorCodes } from './errors.ts'
import { Ask, eventTypes } from './events.ts'
import { AskAnswerRequest } from './requests.ts'
import {
  CancelReceipt,
  OutcomeSchema,
  RunError,
  RunStateSchema,
  StatusSchema,
  Timestamp,
  Timings,
  Usage,
} from './values.ts'

export const FieldProblemSchema = Type.Object(
  { field: Type.String({ examples: ['prompt'] }), reason: Type.String({ examples: ['is required'] }) },
  { $id: 'FieldProblem' },
)

export const Problem = Type.Object(
  {
    type: Type.String({ examples: ['about:blank'] }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.String(),
    code: Type.Enum([...errorCodes]),
    error: Type.String({ description: 'The same text as `detail`.' }),
    details: Type.Optional(Type.Union([FieldProblemSchema, Type.Array(FieldProblemSchema)])),
    request_id: Type.String(),
    timestamp: Timestamp,
    retryable: Type.Boolean(),
  },
  { $id: 'Problem', description: 'RFC 9457 problem. Switch on `code`.' },
)
export type Problem = Static<typeof Problem>

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
  run_id: Type.Optional(Type.String({ description: 'The latest run.' })),
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
    pending_asks: Type.Optional(Type.Integer({ minimum: 1, description: 'Asks that wait for an answer.' })),
    waiting_since: Type.Optional(Timestamp),
    created_at: Timestamp,
    last_activity: Timestamp,
    run_id: Type.Union([Type.String(), Type.Null()]),
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

/** `data` is validated where it is made; here it is open, so that clients ignore what they do not know. */
export const EventFrame = Type.Object(
  {
    id: Type.Integer({ minimum: 1 }),
    event: Type.Enum([...eventTypes]),
    data: Type.Object({ run_id: Type.Optional(Type.String()), timestamp: Timestamp }, { additionalProperties: true }),
  },
  { $id: 'Event' },
)
export type EventFrame = Static<typeof EventFrame>

export const EventPage = Type.Object(
  {
    events: Type.Array(EventFrame),
    next_after: Type.Integer({ minimum: 0, description: 'Give this as `after` for the next page.' }),
    last_event_id: Type.Integer({ minimum: 0 }),
    ended: Type.Boolean({ description: 'True when no run of the session waits or works.' }),
  },
  { $id: 'EventPage' },
)
export type EventPage = Static<typeof EventPage>

export const Message = Type.Object(
  {
    role: Type.Enum(['user', 'assistant']),
    run_id: Type.String(),
    created_at: Timestamp,
    parts: Type.Array(
      Type.Object(
        {
          type: Type.Enum(['text', 'reasoning', 'tool', 'command', 'stdout', 'stderr']),
          text: Type.Optional(Type.String()),
          call_id: Type.Optional(Type.String()),
          tool: Type.Optional(Type.String()),
          args: Type.Optional(Type.Unknown()),
          status: Type.Optional(Type.Enum(['running', 'completed', 'error'])),
          output: Type.Optional(Type.String()),
        },
        { $id: 'MessagePart' },
      ),
    ),
  },
  { $id: 'Message' },
)
export type Message = Static<typeof Message>

export const MessageList = Type.Object(
  {
    messages: Type.Array(Message),
    truncated: Type.Boolean({ description: 'True when older messages are not shown.' }),
  },
  { $id: 'MessageList' },
)
