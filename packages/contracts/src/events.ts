import { Type, type Static, type TObject, type TProperties } from 'typebox'
import { BudgetLimits, BudgetOwnerName, BudgetReached } from './budget.ts'
import {
  CancelReceipt,
  Evidence,
  OutcomeSchema,
  PendingReasonSchema,
  RunError,
  StatusSchema,
  Timestamp,
  Timings,
  Usage,
} from './values.ts'

const closed = <P extends TProperties>(name: string, properties: P, description: string): TObject<P> =>
  Type.Object(properties, { $id: name, description })

export const AskData = closed(
  'AskData',
  {
    ask_id: Type.String(),
    kind: Type.Enum(['permission', 'question', 'budget']),
    permission: Type.Optional(Type.String({ examples: ['bash'] })),
    patterns: Type.Optional(Type.Array(Type.String())),
    questions: Type.Optional(Type.Array(Type.Unknown())),
    metadata: Type.Optional(Type.Unknown()),
    call_id: Type.Optional(Type.String()),
    budget: Type.Optional(BudgetReached),
    expires_at: Timestamp,
  },
  'The agent asks and waits; or the run waits at a limit of its budget.',
)

export type AskData = Static<typeof AskData>

export const Ask = Type.Object(
  { run_id: Type.String(), ...AskData.properties },
  { $id: 'Ask', description: 'A permission request, a question or a budget that waits for its answer.' },
)
export type Ask = Static<typeof Ask>

export const StatusData = closed(
  'StatusData',
  {
    status: StatusSchema,
    progress: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
    current_tool: Type.Optional(Type.String()),
    queue_position: Type.Optional(Type.Integer({ minimum: 1 })),
    reason: Type.Optional(PendingReasonSchema),
    asks: Type.Optional(Type.Array(Ask, { description: 'On a snapshot: what waits for an answer, if anything does.' })),
    snapshot: Type.Optional(Type.Boolean({ description: 'True on the first frame of a connection, which has no id.' })),
  },
  'The run changed its state.',
)

export const OutputData = closed(
  'OutputData',
  {
    type: Type.Enum(['text', 'reasoning', 'stdout', 'stderr']),
    text: Type.String(),
    part_id: Type.String({ description: 'Deltas of one part, joined in order, are the whole part.' }),
    truncated: Type.Optional(Type.Boolean({ description: 'True on the last delta of a part that was cut off.' })),
  },
  'A piece of what the agent or a command wrote.',
)

export const ToolCallData = closed(
  'ToolCallData',
  {
    call_id: Type.String(),
    tool: Type.String({ examples: ['bash'] }),
    args: Type.Unknown(),
    title: Type.Optional(Type.String()),
  },
  'The agent calls a tool.',
)

export const ToolResultData = closed(
  'ToolResultData',
  {
    call_id: Type.String(),
    tool: Type.String(),
    status: Type.Enum(['completed', 'error']),
    result: Type.Object({
      output: Type.String(),
      exit_code: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
      metadata: Type.Optional(Type.Unknown()),
    }),
    error: Type.Optional(Type.String()),
    duration_ms: Type.Integer({ minimum: 0 }),
  },
  'A tool call ended.',
)

export const AskResolvedData = closed(
  'AskResolvedData',
  {
    ask_id: Type.String(),
    answer: Type.Unknown(),
    by: Type.Enum(['client', 'policy', 'timeout']),
    key_id: Type.Optional(Type.String({ description: 'The API key of the client, where it had one.' })),
    of: Type.Optional(BudgetOwnerName),
    budget: Type.Optional(
      Type.Object(BudgetLimits.properties, { description: 'That budget from now on, after it was raised.' }),
    ),
  },
  'An ask got its answer.',
)

export const TodoData = closed(
  'TodoData',
  {
    todos: Type.Array(
      Type.Object({
        content: Type.String(),
        status: Type.String({ examples: ['pending', 'in_progress', 'completed'] }),
        priority: Type.Optional(Type.String()),
        id: Type.Optional(Type.String()),
      }),
    ),
  },
  "The agent's list of things to do, whole.",
)

export const FileData = closed(
  'FileData',
  {
    path: Type.String({ description: 'Relative to the workspace.' }),
    change: Type.Enum(['created', 'modified', 'deleted']),
  },
  'A file of the workspace changed.',
)

export const GitData = closed(
  'GitData',
  {
    action: Type.Enum(['clone', 'lfs', 'branch', 'commit', 'push', 'pull_request']),
    state: Type.Enum(['started', 'progress', 'done', 'failed']),
    repository: Type.Optional(Type.String({ description: 'Without credentials.' })),
    branch: Type.Optional(Type.String()),
    base_branch: Type.Optional(Type.String()),
    commit: Type.Optional(Type.String()),
    base_commit: Type.Optional(Type.String()),
    pull_request_url: Type.Optional(Type.String()),
    percent: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
    files: Type.Optional(Type.Integer({ minimum: 0, description: 'Of Git LFS, that come in or go out.' })),
    bytes: Type.Optional(Type.Integer({ minimum: 0, description: 'Which they have.' })),
    message: Type.Optional(Type.String()),
    duration_ms: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  'Git works for the run: the repository comes in, or the work goes out.',
)
export type GitData = Static<typeof GitData>

export const RetryData = closed(
  'RetryData',
  {
    attempt: Type.Integer({ minimum: 1 }),
    message: Type.String(),
    next_at: Timestamp,
    withdrawn_parts: Type.Optional(
      Type.Array(Type.String(), {
        description: 'Parts whose text so far is void: the next attempt writes them again under another id.',
      }),
    ),
  },
  'The engine calls the model again.',
)

export const UsageData = closed('UsageData', Usage.properties, 'Usage of the run so far.')

export const ErrorData = closed(
  'ErrorData',
  {
    error: Type.String(),
    code: Type.String(),
    fatal: Type.Boolean({ description: 'False when the run goes on.' }),
    retryable: Type.Boolean(),
  },
  'Something went wrong.',
)

export const CompleteData = closed(
  'CompleteData',
  {
    outcome: OutcomeSchema,
    success: Type.Boolean({ description: 'True when the outcome is `completed`.' }),
    final_message: Type.String({ description: 'The whole answer; for a command its standard output.' }),
    error: Type.Optional(RunError),
    exit_code: Type.Optional(Type.Integer({ description: "A command's own exit code." })),
    structured: Type.Optional(Type.Unknown()),
    files_modified: Type.Array(Type.String()),
    branch: Type.Optional(Type.String({ description: 'The branch the work is on.' })),
    commit: Type.Optional(Type.String({ description: 'Its head; absent when nothing was changed.' })),
    base_commit: Type.Optional(Type.String({ description: 'What the branch began with.' })),
    pushed: Type.Optional(Type.Boolean()),
    pull_request_url: Type.Optional(Type.String()),
    workspace_kept: Type.Optional(
      Type.Literal(true, { description: 'The work could not be delivered; it stays until the session is deleted.' }),
    ),
    usage: Usage,
    timings: Timings,
    evidence: Type.Optional(Evidence),
    receipt: Type.Optional(CancelReceipt),
    side_effects: Type.Optional(Type.Enum(['none', 'possible'])),
  },
  'The run has ended. The last event of every run, exactly once.',
)
export type CompleteData = Static<typeof CompleteData>

/** Every event type and the shape of its data, without `run_id` and `timestamp`, which each has besides. */
export const eventData = {
  status: StatusData,
  output: OutputData,
  tool_call: ToolCallData,
  tool_result: ToolResultData,
  ask: AskData,
  ask_resolved: AskResolvedData,
  todo: TodoData,
  file: FileData,
  git: GitData,
  retry: RetryData,
  usage: UsageData,
  error: ErrorData,
  complete: CompleteData,
} as const

export type EventType = keyof typeof eventData
export const eventTypes = Object.keys(eventData) as readonly EventType[]

/** An event before it has a place in the log. */
export type EventBody = { [T in EventType]: { type: T; data: Static<(typeof eventData)[T]> } }[EventType]

/** One row of a session's log. `seq` is dense per session, begins at 1 and is the SSE id. */
export type LogEvent = EventBody & {
  seq: number
  runId: string | undefined
  /** Milliseconds since the epoch. */
  at: number
}
