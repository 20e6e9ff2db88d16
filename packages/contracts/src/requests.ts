import { Type, type Static } from 'typebox'
import { Budget, BudgetRaise } from './budget.ts'
import { ModelConfig } from './model-config.ts'
import { PermissionRules } from './permissions.ts'
import { request } from './request-schema.ts'
import { deliveryOptions, fillOptions } from './repository-options.ts'
import { Resources } from './resources.ts'
import { Duration } from './values.ts'
import { wireLimits } from './wire-limits.ts'

const Retention = Type.Union(
  [
    Type.Number({ exclusiveMinimum: 0, maximum: 31_536_000, description: 'Seconds.' }),
    Type.String({ pattern: '^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$', examples: ['1h', '30d'] }),
  ],
  {
    description:
      'How long after its last change the session can be used, and its workspace is kept; from 1 s to a year. `WORKSPACE_RETENTION` unless given.',
  },
)

const Prompt = Type.String({
  minLength: 1,
  maxLength: wireLimits.promptCharacters,
  pattern: '\\S',
  description: 'What the agent is to do. At most `MAX_PROMPT_LENGTH` characters.',
  examples: ['Add a test for the parser'],
})
const Labels = Type.Record(
  Type.String({ pattern: '^[A-Za-z0-9._/-]{1,63}$' }),
  Type.String({ maxLength: wireLimits.labelCharacters }),
  {
    maxProperties: wireLimits.labels,
    additionalProperties: false,
    description: 'Names of your own, to find sessions again.',
  },
)

/** Options of a run that an executor may or may not be able to honour; what it cannot is refused with 422. */
const engineOptions = {
  model: Type.Optional(
    Type.String({
      pattern: '^[^/\\s]+/\\S+$',
      maxLength: 256,
      description: '"provider/model".',
      examples: ['anthropic/claude-sonnet-4-5'],
    }),
  ),
  agent: Type.Optional(Type.String({ minLength: 1, maxLength: 128, examples: ['build'] })),
  system_prompt: Type.Optional(Type.String({ minLength: 1, maxLength: wireLimits.systemPromptCharacters })),
  output_schema: Type.Optional(
    Type.Object({}, { additionalProperties: true, description: 'JSON Schema of the answer.' }),
  ),
}

/** Limits of the run; `ask_timeout` is from 30 s to 1 h. */
const controlOptions = {
  timeout: Type.Optional(Duration),
  idle_timeout: Type.Optional(Duration),
  ask_timeout: Type.Optional(Duration),
  max_model_calls: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 100_000, description: 'More calls of the model are taken for a loop.' }),
  ),
}

/** What a prompt may ask for besides. */
const agentOptions = {
  budget: Type.Optional(Budget),
  permissions: Type.Optional(PermissionRules),
  interactive: Type.Optional(
    Type.Boolean({ default: false, description: 'The agent may ask, and waits for `POST …/asks/{ask_id}`.' }),
  ),
  wrap_up: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 2_000,
      pattern: '\\S',
      description: 'Told to the agent when two thirds of the time limit are over.',
      examples: ['Finish up: commit what works and say what is left.'],
    }),
  ),
}

/** Known to the wire; refused with 422 by every executor that does not list them in its capabilities. */
const laterOptions = {
  model_config: Type.Optional(ModelConfig),
  webhook: Type.Optional(Type.Unknown()),
}

export const RunRequest = request(
  'RunRequest',
  {
    prompt: Prompt,
    ...engineOptions,
    ...fillOptions,
    resources: Type.Optional(Resources),
    ...deliveryOptions,
    ...laterOptions,
    ...agentOptions,
    ...controlOptions,
    on_disconnect: Type.Optional(
      Type.Enum(['cancel', 'continue'], { default: 'cancel', description: 'What becomes of the run when you leave.' }),
    ),
    labels: Type.Optional(Labels),
    keep_workspace: Type.Optional(
      Type.Boolean({ default: false, description: 'Keep the session and its files after the answer.' }),
    ),
  },
  'One shot: a session, one prompt, one answer.',
)
export type RunRequest = Static<typeof RunRequest>

export const SessionRequest = request(
  'SessionRequest',
  {
    session_id: Type.Optional(Type.String({ format: 'uuid', description: 'Your own id for the session.' })),
    prompt: Type.Optional(Prompt),
    ...engineOptions,
    ...fillOptions,
    resources: Type.Optional(Resources),
    ...deliveryOptions,
    ...laterOptions,
    ...agentOptions,
    ...controlOptions,
    labels: Type.Optional(Labels),
    retention: Type.Optional(Retention),
    executor: Type.Optional(Type.String({ maxLength: 64 })),
  },
  'A session and, with a prompt, its first run.',
)
export type SessionRequest = Static<typeof SessionRequest>

export const ForkRequest = request(
  'ForkRequest',
  {
    labels: Type.Optional(Labels),
    retention: Type.Optional(Retention),
  },
  'A new session that begins as another one is. Labels are those of the other one unless given.',
)
export type ForkRequest = Static<typeof ForkRequest>

export const onBusy = ['queue', 'reject', 'interrupt'] as const
export type OnBusy = (typeof onBusy)[number]
const OnBusySchema = Type.Enum([...onBusy], {
  default: 'queue',
  description: 'While another run works: wait in line, answer 409, or cancel that run first.',
})

export const MessageRequest = request(
  'MessageRequest',
  {
    prompt: Prompt,
    ...engineOptions,
    model_config: Type.Optional(ModelConfig),
    ...agentOptions,
    ...deliveryOptions,
    ...controlOptions,
    on_busy: Type.Optional(OnBusySchema),
  },
  'A follow-up prompt: a new run of the session.',
)
export type MessageRequest = Static<typeof MessageRequest>

export const ShellRequest = request(
  'ShellRequest',
  {
    command: Type.String({
      minLength: 1,
      maxLength: wireLimits.commandCharacters,
      pattern: '\\S',
      examples: ['npm test'],
    }),
    timeout: Type.Optional(Duration),
    on_busy: Type.Optional(OnBusySchema),
  },
  'A command for the workspace, as a run.',
)
export type ShellRequest = Static<typeof ShellRequest>

export const CancelRequest = request(
  'CancelRequest',
  {
    run_id: Type.Optional(
      Type.String({ format: 'uuid', description: 'This run alone. Without it all that are open.' }),
    ),
  },
  'What to cancel; the body may be left out.',
)
export type CancelRequest = Static<typeof CancelRequest>

export const AskAnswerRequest = request(
  'AskAnswerRequest',
  {
    reply: Type.Optional(Type.Enum(['once', 'always', 'reject'], { description: 'To a permission request.' })),
    message: Type.Optional(Type.String({ maxLength: 10_000, description: 'Told to the agent with a `reject`.' })),
    answers: Type.Optional(
      Type.Array(Type.Array(Type.String({ maxLength: 10_000 }), { maxItems: 50 }), {
        maxItems: 50,
        description: 'To a question: the chosen labels, or words of your own, one list for each question.',
      }),
    ),
    reject: Type.Optional(Type.Literal(true, { description: 'Dismisses a question.' })),
    raise: Type.Optional(BudgetRaise),
    stop: Type.Optional(Type.Literal(true, { description: 'Ends a run that is at a limit of its budget.' })),
  },
  'An answer: `reply` to a permission request; `answers`, or `reject`, to a question; `raise`, or `stop`, at a budget.',
)
export type AskAnswerRequest = Static<typeof AskAnswerRequest>
