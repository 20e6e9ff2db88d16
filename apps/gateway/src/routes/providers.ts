import {
  GatewayError,
  Provider,
  ProviderCheck,
  ProviderList,
  ProviderListQuery,
  ProviderParams,
  ProviderRequest,
  ProviderRollback,
  ProviderVersionList,
  type ErrorCode,
  type ProviderRow,
} from '@opencode-gateway/contracts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { ModelProxy } from '@opencode-gateway/model-proxy'
import type { FastifyReply } from 'fastify'
import { whileClientStays } from '../http/client-stays.ts'
import { readNameCursor, writeNameCursor } from '../http/cursor.ts'
import { isKnown, readPrecondition } from '../http/file-conditions.ts'
import { headers } from '../openapi/headers.ts'
import { json, problems } from '../openapi/responses.ts'
import { ref } from '../openapi/shared-schemas.ts'
import type { ProviderConfigs } from '../providers/provider-configs.ts'
import { tagOf } from '../providers/provider-conditions.ts'
import { providerCheck, providerVersions, providerView } from '../views/provider-view.ts'

export interface ProviderRouteOptions {
  /** Undefined where no proxy is between engine and models. */
  providers: ProviderConfigs | undefined
  check: ModelProxy['check'] | undefined
}

const tags = ['providers']
const MAX_BODY_BYTES = 65_536
const WRITERS = { scope: 'providers:write' } as const
const WRITE_PROBLEMS: ErrorCode[] = [
  'INVALID_REQUEST',
  'INVALID_JSON',
  'PRECONDITION_FAILED',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'UNSUPPORTED_OPTION',
]

const list = {
  operationId: 'listProviders',
  tags,
  summary: 'Provider configurations, by name',
  querystring: ref(ProviderListQuery),
  response: {
    200: json(ref(ProviderList), 'A page.'),
    ...problems('INVALID_REQUEST', 'INVALID_CURSOR', 'UNSUPPORTED_OPTION'),
  },
}

const get = {
  operationId: 'getProvider',
  tags,
  summary: 'A provider configuration, without its key',
  params: ProviderParams,
  headers: headers('if-none-match'),
  response: {
    200: json(ref(Provider), 'The configuration.'),
    304: { description: 'The client has it.', type: 'null' },
    ...problems('INVALID_REQUEST', 'PROVIDER_NOT_FOUND', 'UNSUPPORTED_OPTION'),
  },
}

const put = {
  operationId: 'putProvider',
  tags,
  summary: 'Make a provider configuration, or a new version of it',
  description:
    'For `model_config.provider` of requests. A run uses the version there is when it is taken in, whatever comes after. The key is kept encrypted with ENCRYPTION_KEY. Needs the scope `providers:write`.',
  params: ProviderParams,
  headers: headers('if-match', 'if-none-match'),
  body: ref(ProviderRequest),
  response: {
    200: json(ref(Provider), 'There is a new version.'),
    201: json(ref(Provider), 'It is made.'),
    ...problems(...WRITE_PROBLEMS, 'TOO_MANY_PROVIDERS'),
  },
}

const remove = {
  operationId: 'deleteProvider',
  tags,
  summary: 'Delete a provider configuration with all its versions and keys',
  description: 'Runs that were taken in go on with it. Needs the scope `providers:write`.',
  params: ProviderParams,
  headers: headers('if-match'),
  response: {
    204: { description: 'It is gone.', type: 'null' },
    ...problems('INVALID_REQUEST', 'PROVIDER_NOT_FOUND', 'PRECONDITION_FAILED', 'UNSUPPORTED_OPTION'),
  },
}

const versions = {
  operationId: 'listProviderVersions',
  tags,
  summary: 'Versions of a provider configuration that are kept, newest first',
  params: ProviderParams,
  response: {
    200: json(ref(ProviderVersionList), 'The versions.'),
    ...problems('INVALID_REQUEST', 'PROVIDER_NOT_FOUND', 'UNSUPPORTED_OPTION'),
  },
}

const rollback = {
  operationId: 'rollbackProvider',
  tags,
  summary: 'Go back to a former version, key included, as a new version',
  description: 'Needs the scope `providers:write`.',
  params: ProviderParams,
  headers: headers('if-match'),
  body: ref(ProviderRollback),
  response: {
    200: json(ref(Provider), 'The new version.'),
    ...problems(...WRITE_PROBLEMS, 'PROVIDER_NOT_FOUND', 'PROVIDER_VERSION_NOT_FOUND'),
  },
}

const check = {
  operationId: 'checkProvider',
  tags,
  summary: 'Call the provider once, to see whether key, address and model are right',
  description:
    'The shortest prompt for its `model`, which may cost a few tokens and is in no usage and no budget; without a `model` the list of models, which some providers give without a key. Needs the scope `providers:write`.',
  params: ProviderParams,
  response: {
    200: json(ref(ProviderCheck), 'How it went.'),
    ...problems('INVALID_REQUEST', 'PROVIDER_NOT_FOUND', 'UNSUPPORTED_OPTION', 'SHUTTING_DOWN'),
  },
}

export const providerRoutes: FastifyPluginAsyncTypebox<ProviderRouteOptions> = async (app, options) => {
  function configs(): ProviderConfigs {
    if (options.providers) return options.providers
    const text = 'With OPENCODE_SERVER_URL the engine has its own providers, and the gateway keeps none.'
    throw new GatewayError('UNSUPPORTED_OPTION', text)
  }

  app.get('/providers', { schema: list }, async ({ client, query }) => {
    const { cursor, limit = 50 } = query
    const after = cursor === undefined ? {} : { after: readNameCursor(cursor) }
    const rows = await configs().list({ tenant: client.tenant, limit: limit + 1, ...after })
    const page = rows.slice(0, limit)
    const last = page.at(-1)
    const nextCursor = rows.length > limit && last !== undefined ? writeNameCursor(last.name) : null
    return { providers: page.map(providerView), next_cursor: nextCursor }
  })

  app.get('/providers/:name', { schema: get }, async ({ client, params, headers: sent }, reply) => {
    const row = await configs().get(client.tenant, params.name)
    tagged(reply, row)
    if (isKnown(sent['if-none-match'], quoted(row))) return reply.code(304).send(null)
    return reply.send(providerView(row))
  })

  app.put('/providers/:name', { schema: put, config: WRITERS, bodyLimit: MAX_BODY_BYTES }, async (request, reply) => {
    const { client, params, body } = request
    const row = await configs().put(client.tenant, params.name, body, readPrecondition(request.headers))
    request.log.info({ provider: row.name, version: row.version }, 'a provider configuration is written')
    return tagged(reply, row)
      .code(row.version === 1 ? 201 : 200)
      .send(providerView(row))
  })

  app.delete('/providers/:name', { schema: remove, config: WRITERS }, async (request, reply) => {
    const { client, params } = request
    await configs().remove(client.tenant, params.name, readPrecondition(request.headers))
    request.log.info({ provider: params.name }, 'a provider configuration is deleted')
    return reply.code(204).send(null)
  })

  app.get('/providers/:name/versions', { schema: versions }, async ({ client, params }) =>
    providerVersions(await configs().versions(client.tenant, params.name)),
  )

  app.post(
    '/providers/:name/rollback',
    { schema: rollback, config: WRITERS, bodyLimit: MAX_BODY_BYTES },
    async (request, reply) => {
      const { client, params, body } = request
      const expected = { ifMatch: '*', ...readPrecondition(request.headers) }
      await configs().get(client.tenant, params.name)
      const row = await configs().rollback(client.tenant, params.name, body.version, expected)
      const { name: provider, version } = row
      request.log.info({ provider, version, restoredFrom: body.version }, 'a provider configuration is put back')
      return tagged(reply, row).send(providerView(row))
    },
  )

  app.post('/providers/:name/check', { schema: check, config: WRITERS }, async (request, reply) => {
    const { client, params } = request
    const { name, version } = await configs().get(client.tenant, params.name)
    const open = await configs().open(client.tenant, name, 'name')
    const call = options.check
    if (!open || !call) throw new GatewayError('PROVIDER_NOT_FOUND', `There is no provider configuration "${name}".`)
    const result = await whileClientStays(reply, app.stopping, (signal) => call(open, signal))
    request.log.info({ provider: name, version, ...result }, 'a provider is checked')
    return providerCheck(open, result)
  })
}

const quoted = (row: ProviderRow): string => `"${tagOf(row)}"`

const tagged = (reply: FastifyReply, row: ProviderRow): FastifyReply =>
  reply.headers({ etag: quoted(row), 'cache-control': 'private, no-cache' })
