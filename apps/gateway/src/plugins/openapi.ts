import swagger from '@fastify/swagger'
import { wireLimits } from '@opencode-gateway/contracts'
import type { FastifySchema } from 'fastify'
import fp from 'fastify-plugin'
import { sharedSchemas } from '../openapi/shared-schemas.ts'

export interface OpenApiOptions {
  version: string
}

const DESCRIPTION = `Runs the OpenCode coding agent for REST clients. A prompt becomes a run of a session; what happens is a log of events that
can be streamed, paged and resumed without a gap; every run ends with exactly one \`complete\`. Errors are problem documents
with a closed set of codes. Unknown fields of a request are refused, unknown fields of a response are to be ignored.
Request bodies are JSON in UTF-8, at most ${wireLimits.jsonDepth} levels of objects and lists deep.`

/** Makes the document of the routes that are registered after it. */
export const openapi = fp<OpenApiOptions>(
  async (app, { version }) => {
    for (const schema of sharedSchemas()) app.addSchema(schema)
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'OpenCode Gateway',
          version,
          description: DESCRIPTION,
          license: { name: 'MIT', identifier: 'MIT' },
        },
        tags: [
          { name: 'run', description: 'One prompt, one answer' },
          { name: 'sessions', description: 'Conversations bound to a workspace' },
          { name: 'events', description: 'The log of a session' },
          { name: 'files', description: 'The workspace of a session, while the agent works and after' },
          { name: 'gateway', description: 'Health, readiness, what the gateway can do' },
        ],
        components: {
          securitySchemes: {
            bearer: {
              type: 'http',
              scheme: 'bearer',
              description: '`Authorization: Bearer <key>`; `Api-Key <key>` is read too.',
            },
            apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
            streamToken: {
              type: 'apiKey',
              in: 'query',
              name: 'token',
              description: 'Of `POST /sessions/{id}/stream-token`.',
            },
          },
        },
        security: [{ bearer: [] }, { apiKey: [] }],
      },
      transform: ({ schema, url }) => ({ schema: withTextBodies(schema), url }),
      transformObject: (document) => ('openapiObject' in document ? corrected(document.openapiObject) : {}),
      refResolver: {
        buildLocalReference: ({ $id: name }, _baseUri, _fragment, index) =>
          typeof name === 'string' ? name : `Schema${index}`,
      },
    })
  },
  { name: 'openapi' },
)

/** A body of another type than JSON is text, which the route reads as the JSON it stands for. */
function withTextBodies(schema: FastifySchema): FastifySchema {
  const { consumes, body, ...rest } = schema ?? {}
  if (consumes === undefined) return schema
  const content = consumes.map((type) => [type, { schema: schemaOfBody(type, body) }])
  return { ...rest, body: { content: Object.fromEntries(content) } }
}

function schemaOfBody(type: string, body: unknown): unknown {
  if (type === 'application/json') return body
  return type.startsWith('text/') ? { type: 'string', minLength: 1 } : { type: 'string', format: 'binary' }
}

/** Bodies whose fields are all optional and that may be left out altogether; the plugin calls every body required. */
const OPTIONAL_BODIES: readonly unknown[] = ['#/components/schemas/CancelRequest', '#/components/schemas/ResetRequest']

/** Puts right what the plugin makes of the routes' schemas: references in parameters, and which bodies are required. */
function corrected<T>(document: T): T {
  const correct = (key: string, value: unknown): unknown => {
    if (key === '$ref' && typeof value === 'string' && !value.startsWith('#'))
      return `#/components/schemas/${value.slice(0, -1)}`
    if (key !== 'requestBody') return value
    const { content = {} } = Object(value)
    const schema = Object(content['application/json']).schema
    return OPTIONAL_BODIES.includes(Object(schema).$ref) ? { ...Object(value), required: false } : value
  }
  return JSON.parse(JSON.stringify(document, correct))
}
