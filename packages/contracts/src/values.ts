import { Type, type Static } from 'typebox'

/** Where a run is. The last six are terminal and never change. */
export const runStates = [
  'queued',
  'starting',
  'running',
  'waiting_input',
  'completed',
  'failed',
  'cancelled',
  'timed_out',
  'interrupted',
  'budget_exceeded',
] as const
export type RunState = (typeof runStates)[number]

export const terminalStates = [
  'completed',
  'failed',
  'cancelled',
  'timed_out',
  'interrupted',
  'budget_exceeded',
] as const satisfies readonly RunState[]
export type Outcome = (typeof terminalStates)[number]

/** What clients see: `pending` stands for queued and starting, `idle` for a session without a run. */
export const wireStatuses = ['idle', 'pending', 'running', 'waiting_input', ...terminalStates] as const
export type WireStatus = (typeof wireStatuses)[number]

/**
 * Why a run has not begun: it waits for a free slot, for a run of its session before it, or for whoever resets, forks or
 * deletes the session; it could not start and is tried again; or its session is being opened.
 */
export const pendingReasons = ['queued', 'session_busy', 'session_held', 'requeued', 'starting'] as const
export type PendingReason = (typeof pendingReasons)[number]

export const RunStateSchema = Type.Enum([...runStates], { $id: 'RunState', description: 'Where a run is.' })
export const OutcomeSchema = Type.Enum([...terminalStates], { $id: 'Outcome', description: 'How a run ended.' })
export const StatusSchema = Type.Enum([...wireStatuses], {
  $id: 'Status',
  description:
    'State of a run: `pending` while it is queued or starting. A session has that of the run that works or begins next, of its latest run when all have ended, and is `idle` when it has none.',
})

export const PendingReasonSchema = Type.Enum([...pendingReasons], {
  $id: 'PendingReason',
  description:
    'Why a run is `pending`: it waits for a slot (`queued`), for a run of its session (`session_busy`), or for a reset, fork or deletion (`session_held`); it could not start and is tried again (`requeued`); its session is being opened (`starting`).',
})

/** ISO 8601, UTC. */
export const Timestamp = Type.String({ format: 'date-time', examples: ['2026-11-20T09:30:00.000Z'] })

export const Duration = Type.Union(
  [
    Type.Number({ exclusiveMinimum: 0, maximum: 604_800, description: 'Seconds.' }),
    Type.String({ pattern: '^[0-9]+(\\.[0-9]+)?(ms|s|m|h)$', examples: ['300s', '5m', '1h'] }),
  ],
  { $id: 'Duration', description: 'Seconds as a number, or a number with its unit: ms, s, m, h.' },
)

export const Tokens = Type.Object(
  {
    input: Type.Integer({ minimum: 0 }),
    output: Type.Integer({ minimum: 0 }),
    reasoning: Type.Integer({ minimum: 0 }),
    cache_read: Type.Integer({ minimum: 0 }),
    cache_write: Type.Integer({ minimum: 0 }),
  },
  { $id: 'Tokens', description: 'Tokens by kind, as the provider counted them.' },
)

export const Usage = Type.Object(
  {
    tokens: Tokens,
    cost_usd: Type.Union([Type.Number({ minimum: 0 }), Type.Null()], {
      description: 'Null when a price is unknown, never 0 for unknown.',
    }),
    model_calls: Type.Integer({ minimum: 0, description: 'Finished calls of the model, sub-agents included.' }),
    model: Type.Optional(Type.String({ examples: ['anthropic/claude-sonnet-4-5'] })),
    estimated_calls: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Calls that were broken off: their tokens are an estimate.' }),
    ),
  },
  { $id: 'Usage' },
)
export type Usage = Static<typeof Usage>

export const Timings = Type.Object(
  {
    queued_ms: Type.Integer({ minimum: 0, description: 'Accepted until claimed.' }),
    open_ms: Type.Optional(Type.Integer({ minimum: 0, description: 'Claimed until the engine session was there.' })),
    wait_ms: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Of that, until it was the turn of its container to be started.' }),
    ),
    pull_ms: Type.Optional(Type.Integer({ minimum: 0, description: 'Of that, pulling the image, where it had gone.' })),
    create_ms: Type.Optional(Type.Integer({ minimum: 0, description: 'Of that, making a container for the session.' })),
    start_ms: Type.Optional(Type.Integer({ minimum: 0, description: 'Of that, starting it.' })),
    engine_ready_ms: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'Of that, until the engine in it answered. Alone where a warm container was taken, from then on.',
      }),
    ),
    clone_ms: Type.Optional(Type.Integer({ minimum: 0, description: 'Of that, the repository.' })),
    first_event_ms: Type.Optional(Type.Integer({ minimum: 0, description: 'Prompt sent until the first event.' })),
    first_token_ms: Type.Optional(Type.Integer({ minimum: 0, description: 'Prompt sent until the first output.' })),
    total_ms: Type.Integer({ minimum: 0, description: 'Accepted until ended.' }),
  },
  { $id: 'Timings', description: 'Where the time went, in milliseconds.' },
)
export type Timings = Static<typeof Timings>

export const RunError = Type.Object(
  {
    code: Type.String({ examples: ['RUN_TIMEOUT'], description: 'A code of the closed set.' }),
    message: Type.String(),
    retryable: Type.Boolean(),
  },
  { $id: 'RunError', description: 'Why a run did not complete.' },
)
export type RunError = Static<typeof RunError>

export const Evidence = Type.Object(
  {
    message_id: Type.Optional(Type.String({ description: 'The final message of the engine.' })),
    finish_reason: Type.Optional(Type.String({ examples: ['stop'] })),
    checks: Type.Array(Type.String(), {
      description: 'What was read from the engine before the run was judged.',
      examples: [['message_finished', 'session_idle', 'no_pending_ask', 'children_idle']],
    }),
    checked_at: Timestamp,
  },
  { $id: 'Evidence', description: 'What the verdict rests on.' },
)
export type Evidence = Static<typeof Evidence>

export const CancelReceipt = Type.Object(
  {
    aborted_sessions: Type.Integer({ minimum: 0, description: 'Engine sessions that were told to stop.' }),
    killed: Type.Integer({ minimum: 0, description: 'Processes, containers or engines that were ended by force.' }),
    quiet_after_ms: Type.Optional(
      Type.Integer({
        minimum: 0,
        description:
          'Until nothing of the run worked any more. Absent when the executor could not confirm that: then something of it may work still.',
      }),
    ),
    escalated: Type.Boolean({ description: 'True when asking was not enough.' }),
  },
  { $id: 'CancelReceipt' },
)
export type CancelReceipt = Static<typeof CancelReceipt>
