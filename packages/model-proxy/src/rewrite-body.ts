import type { ModelOptions } from '@opencode-gateway/contracts'
import type { Dialect } from './dialect.ts'
import { fieldsOf, type Fields } from './fields.ts'

type Change = Pick<ModelOptions, 'model' | 'temperature' | 'maxTokens' | 'reasoningEffort' | 'tools'>
type Offered = (tool: unknown) => boolean

/** Whether `rewriteBody` would change anything. */
export const changesBody = ({ model, temperature, maxTokens, reasoningEffort, tools }: Change): boolean =>
  [model, temperature, maxTokens, reasoningEffort, tools].some((option) => option !== undefined)

/** The request with what a run asks of its models, each in the dialect's own field. Throws when it is no JSON object. */
export function rewriteBody(dialect: Dialect, body: Buffer, change: Change): Buffer {
  const parsed: unknown = JSON.parse(body.toString('utf8'))
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new TypeError('no JSON object')
  return Buffer.from(JSON.stringify(writers[dialect](fieldsOf(parsed), change)))
}

const writers: Readonly<Record<Dialect, (body: Fields, change: Change) => Fields>> = {
  chat: (body, { model, temperature, maxTokens, reasoningEffort, tools }) => ({
    ...withTools(body, tools && offered(tools, (tool) => fieldsOf(tool['function'])['name'])),
    ...set('model', model),
    ...set('temperature', temperature),
    // Which of the two a model takes its SDK knows.
    ...set('max_completion_tokens' in body ? 'max_completion_tokens' : 'max_tokens', maxTokens),
    ...set('reasoning_effort', reasoningEffort),
  }),
  responses: (body, { model, temperature, maxTokens, reasoningEffort, tools }) => ({
    ...withTools(body, tools && offered(tools, ({ name }) => name)),
    ...set('model', model),
    ...set('temperature', temperature),
    ...set('max_output_tokens', maxTokens),
    ...set('reasoning', reasoningEffort && { ...fieldsOf(body['reasoning']), effort: reasoningEffort }),
  }),
  messages: (body, { model, temperature, maxTokens, tools }) => ({
    ...withTools(body, tools && offered(tools, ({ name }) => name)),
    ...set('model', model),
    ...set('temperature', temperature),
    ...set('max_tokens', maxTokens),
  }),
  google(body, { temperature, maxTokens, tools }) {
    const settings = { ...set('temperature', temperature), ...set('maxOutputTokens', maxTokens) }
    const generationConfig = { ...fieldsOf(body['generationConfig']), ...settings }
    return {
      ...(tools ? googleTools(body, tools) : body),
      ...(Object.keys(settings).length > 0 ? { generationConfig } : {}),
    }
  },
}

const set = (name: string, value: unknown): Fields => (value === undefined ? {} : { [name]: value })

const offered =
  (names: readonly string[], nameOf: (tool: Fields) => unknown): Offered =>
  (tool) => {
    const name = nameOf(fieldsOf(tool))
    return typeof name === 'string' && names.includes(name)
  }

/** What chooses among tools goes with the last of them. */
function withTools(body: Fields, isOffered: Offered | undefined): Fields {
  if (!isOffered || !Array.isArray(body['tools'])) return body
  const kept = body['tools'].filter(isOffered)
  if (kept.length > 0) return { ...body, tools: kept }
  const { tools: _tools, tool_choice: _choice, parallel_tool_calls: _parallel, ...rest } = body
  return rest
}

function googleTools(body: Fields, names: readonly string[]): Fields {
  if (!Array.isArray(body['tools'])) return body
  const isOffered = offered(names, ({ name }) => name)
  const kept = body['tools'].flatMap((entry: unknown) => {
    const { functionDeclarations } = fieldsOf(entry)
    if (!Array.isArray(functionDeclarations)) return []
    const declarations = functionDeclarations.filter(isOffered)
    return declarations.length > 0 ? [{ ...fieldsOf(entry), functionDeclarations: declarations }] : []
  })
  if (kept.length > 0) return { ...body, tools: kept }
  const { tools: _tools, toolConfig: _config, ...rest } = body
  return rest
}
