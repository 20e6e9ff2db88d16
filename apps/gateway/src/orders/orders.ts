import {
  GatewayError,
  type MessageRequest,
  type ModelConfig,
  type PermissionRules,
  type RunRequest,
  type SessionRequest,
  type ShellRequest,
} from '@opencode-gateway/contracts'
import type { RunOrder } from '@opencode-gateway/sessions'
import { misspeltPermission } from './misspelt-permission.ts'
import { modelOrder, type ModelChoices, type ModelOrder } from './model-order.ts'
import { oneOrAll } from '../http/one-or-all.ts'
import { isAsked } from './options.ts'
import type { Client } from '../plugins/auth.ts'
import { tooWide } from './policy.ts'
import type { OpenProvider } from '../providers/provider-configs.ts'
import { providerOf, providerOrder } from '../providers/provider-order.ts'
import { deliveryOrder } from './repository-orders.ts'
import type { RouteOptions } from '../routes/route-options.ts'
import { runLimits, type LimitRules } from './run-limits.ts'
import { withToolsOnly } from './tool-permissions.ts'

export interface OrderRules extends LimitRules {
  maxPromptCharacters: number
  /** What the agent may do at most. */
  policy: PermissionRules
  /** Model of a request that names none; undefined leaves it to the engine. */
  model: string | undefined
  /** Undefined where no proxy is between engine and models. */
  models: ModelChoices | undefined
  /** What the model of the request is called with; undefined for the providers of the gateway. */
  provider?: OpenProvider | undefined
}

/** One-shot runs have a shorter default than sessions; both may ask for as much. */
export function orderRules(
  { config, models }: Pick<RouteOptions, 'config' | 'models'>,
  kind: 'run' | 'session',
  { keyId }: Pick<Client, 'keyId'>,
): OrderRules {
  const { runTimeoutMs, sessionTimeoutMs, maxPromptCharacters, maxModelCalls, runBudget, raisableTo } = config.limits
  return {
    defaultMs: kind === 'run' ? runTimeoutMs : sessionTimeoutMs,
    maximumMs: Math.max(runTimeoutMs, sessionTimeoutMs),
    maxModelCalls,
    budgets: { most: runBudget, raisableTo, asking: config.limits.budgetAsk },
    keyId,
    maxPromptCharacters,
    policy: config.permissions,
    model: config.model.default,
    models,
  }
}

/** `orderRules` with the provider configuration that the request's model is called with. */
export async function orderRulesFor(
  options: Pick<RouteOptions, 'config' | 'models' | 'providers'>,
  kind: 'run' | 'session',
  {
    body,
    client,
  }: { body: Pick<SessionRequest, 'prompt' | 'model' | 'model_config'>; client: Pick<Client, 'tenant' | 'keyId'> },
): Promise<OrderRules> {
  const rules = orderRules(options, kind, client)
  if (body.prompt === undefined) return rules
  return { ...rules, provider: await providerOf(body, client.tenant, options.providers) }
}

/** What a request says of its run, besides the prompt. */
const OF_A_RUN = [
  'model',
  'model_config',
  'agent',
  'system_prompt',
  'output_schema',
  'permissions',
  'interactive',
  'wrap_up',
  'timeout',
  'idle_timeout',
  'ask_timeout',
  'max_model_calls',
  'budget',
  'push',
  'pull_request',
  'commit_message',
] as const

type PromptRequest = Pick<RunRequest & MessageRequest & SessionRequest, 'prompt' | (typeof OF_A_RUN)[number]>

/** What a request with a prompt asks to be done. */
export function promptOrder(request: PromptRequest & { prompt: string }, rules: OrderRules): RunOrder {
  refuseLongPrompt(request.prompt, rules.maxPromptCharacters)
  refuseMisspeltRules(request)
  refuseWiderRules(request, rules)
  const { agent, system_prompt: systemPrompt, output_schema: outputSchema, interactive } = request
  const asked = withAnswerTool(request)
  const configured = modelOf(asked, request, rules)
  const { model = request.model ?? rules.model, ...options } = configured ?? {}
  const tools = asked?.enabled_tools
  const permissions = tools === undefined ? request.permissions : withToolsOnly(request.permissions, tools)
  const delivery = deliveryOrder(request)
  return {
    kind: 'prompt',
    prompt: request.prompt,
    ...(model === undefined ? {} : { model }),
    ...options,
    ...(asked === undefined && request.model === undefined ? { inheritModel: true } : {}),
    ...(agent === undefined ? {} : { agent }),
    ...(systemPrompt === undefined ? {} : { systemPrompt }),
    ...(outputSchema === undefined ? {} : { outputSchema: { ...outputSchema } }),
    ...(permissions === undefined ? {} : { permissions }),
    ...(interactive === undefined ? {} : { interactive }),
    ...(delivery === undefined ? {} : { delivery }),
    ...runLimits(request, rules),
  }
}

export function shellOrder(request: ShellRequest, rules: OrderRules): RunOrder {
  return { kind: 'shell', command: request.command, ...runLimits(request, rules) }
}

/** The first run of a new session; undefined for an idle one, which takes no options of a run: they would be lost. */
export function firstOrder(request: SessionRequest, rules: OrderRules): RunOrder | undefined {
  const { prompt } = request
  if (prompt !== undefined) return promptOrder({ ...request, prompt }, rules)
  const lost = OF_A_RUN.filter((name) => isAsked(request, name))
  if (lost.length === 0) return undefined
  throw new GatewayError(
    'INVALID_REQUEST',
    `Without a prompt there is no run for ${lost.join(', ')}. Send a prompt, or send them with it later.`,
    {
      details: oneOrAll(lost.map((field) => ({ field, reason: 'needs a prompt' }))),
    },
  )
}

/** An answer by a schema is a tool that the model has to call. */
function withAnswerTool({ model_config: asked, output_schema: schema }: PromptRequest): ModelConfig | undefined {
  if (asked?.enabled_tools === undefined || schema === undefined) return asked
  return { ...asked, enabled_tools: [...asked.enabled_tools, 'StructuredOutput'] }
}

function modelOf(
  asked: ModelConfig | undefined,
  request: PromptRequest,
  { models, provider, model }: OrderRules,
): ModelOrder | undefined {
  if (!models) return undefined
  const named = { requested: request.model, default: model }
  if (provider) return providerOrder(asked ?? {}, provider, named, models)
  return asked && modelOrder(asked, named, models)
}

function refuseMisspeltRules({ permissions = {} }: PromptRequest): void {
  const misspelt = misspeltPermission(permissions)
  if (misspelt === undefined) return
  const { name, meant } = misspelt
  throw new GatewayError(
    'INVALID_REQUEST',
    `permissions.${name} would hold for nothing: the engine's name of that permission is "${meant}".`,
    { details: { field: `permissions.${name}`, reason: `is no permission; "${meant}" is` } },
  )
}

function refuseWiderRules({ permissions, interactive = false }: PromptRequest, { policy }: OrderRules): void {
  if (permissions === undefined) return
  const problems = tooWide({ rules: permissions, policy, interactive })
  const [first] = problems
  if (first === undefined) return
  throw new GatewayError(
    'POLICY_TOO_WIDE',
    `${first.field}: ${first.reason}. A request narrows what PERMISSIONS of the gateway allows and never widens it.`,
    { details: oneOrAll(problems) },
  )
}

function refuseLongPrompt(prompt: string, maximum: number): void {
  if (prompt.length <= maximum) return
  const characters = [...prompt].length
  if (characters <= maximum) return
  throw new GatewayError(
    'INVALID_REQUEST',
    `The prompt has ${characters} characters; MAX_PROMPT_LENGTH is ${maximum}.`,
    {
      details: { field: 'prompt', reason: `must have at most ${maximum} characters` },
    },
  )
}
