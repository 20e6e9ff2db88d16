import { Type, type Static } from 'typebox'
import { Timestamp } from './values.ts'

export const Health = Type.Object(
  { status: Type.Literal('healthy'), version: Type.String(), timestamp: Timestamp },
  { $id: 'Health' },
)
export const Healthz = Type.Object(
  { status: Type.Literal('ok'), version: Type.String(), timestamp: Timestamp },
  { $id: 'Healthz' },
)

export const CheckResult = Type.Object(
  { ok: Type.Boolean(), reason: Type.Optional(Type.String()), duration_ms: Type.Integer({ minimum: 0 }) },
  { $id: 'CheckResult' },
)
export const Readiness = Type.Object(
  {
    status: Type.Enum(['ready', 'not_ready']),
    version: Type.String(),
    timestamp: Timestamp,
    checks: Type.Object({
      store: CheckResult,
      workspace: CheckResult,
      executor: CheckResult,
      accepting: CheckResult,
    }),
  },
  { $id: 'Readiness' },
)
export type Readiness = Static<typeof Readiness>

export const Capabilities = Type.Object(
  {
    version: Type.String(),
    executor: Type.Object({
      name: Type.String(),
      isolation: Type.Enum(['none', 'container']),
      shell: Type.Boolean(),
      follow_ups: Type.Boolean(),
      fork: Type.Boolean({ description: 'A session can be forked.' }),
      survives_restart: Type.Boolean({ description: 'A run goes on while the gateway restarts.' }),
      options: Type.Array(Type.String(), { description: 'Request options that are honoured; others answer 422.' }),
    }),
    engine: Type.Object({
      name: Type.Literal('opencode'),
      version: Type.Union([Type.String(), Type.Null()]),
      mode: Type.Enum(['embedded', 'remote', 'container', 'other']),
      image: Type.Optional(Type.String({ description: 'Digest of the image its containers are made from.' })),
    }),
    model: Type.Object({
      default: Type.Union([Type.String(), Type.Null()]),
      scripted: Type.Boolean({ description: 'True when the built-in scripted model answers instead of a provider.' }),
      direct_providers: Type.Array(Type.String(), {
        description: 'Providers that the engine calls itself, with credentials that agents can read.',
      }),
    }),
    limits: Type.Object({
      max_request_bytes: Type.Integer(),
      max_prompt_characters: Type.Integer(),
      max_concurrent_sessions: Type.Integer(),
      max_queued_runs: Type.Integer(),
      max_queued_runs_per_session: Type.Integer(),
      run_timeout_seconds: Type.Number(),
      session_timeout_seconds: Type.Number(),
      container: Type.Optional(
        Type.Object(
          {
            memory_bytes: Type.Integer(),
            cpus: Type.Number(),
            pids: Type.Integer(),
            disk_bytes: Type.Integer(),
            egress: Type.Array(Type.String(), { description: 'Hosts that programs in it can connect to.' }),
          },
          {
            description:
              'What `resources` of a request lowers, and where it leads, where each session has a container.',
          },
        ),
      ),
    }),
    sessions: Type.Object({
      retention_seconds: Type.Number({ description: 'After its last change, unless its request says otherwise.' }),
      forgotten_after_seconds: Type.Number({ description: 'After its retention, or its deletion.' }),
    }),
    events: Type.Object({ retention_seconds: Type.Number(), heartbeat_seconds: Type.Number() }),
  },
  { $id: 'Capabilities' },
)
export type Capabilities = Static<typeof Capabilities>
