import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { wireLimits } from '@opencode-gateway/contracts'
import { startGateway, type Answer } from './gateway.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const TEXT_TYPE = { 'content-type': 'text/plain' }

/** JSON of objects, one in the other. */
const nested = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`

interface BadRequest {
  what: string
  method?: string
  path?: string
  body?: unknown
  headers?: Record<string, string>
  status: number
  code: string
  field?: string
}

function assertProblem(
  answer: Answer,
  { status, code, field }: Pick<BadRequest, 'status' | 'code' | 'field'>,
  path: string,
) {
  assert.equal(answer.status, status, answer.text)
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/)
  const problem = answer.json()
  assert.equal(problem.code, code, answer.text)
  assert.equal(problem.status, status)
  assert.equal(problem.error, problem.detail)
  assert.equal(problem.instance, path)
  assert.equal(problem.request_id, answer.headers.get('x-request-id'))
  assert.equal(typeof problem.title, 'string')
  assert.equal(typeof problem.retryable, 'boolean')
  assert.ok(!Number.isNaN(Date.parse(String(problem.timestamp))))
  if (field === undefined) return
  const fields = [problem.details].flat().map((detail) => Object(detail).field)
  assert.ok(fields.includes(field), answer.text)
}

const run: BadRequest[] = [
  { what: 'D1: an empty text', body: '', headers: TEXT_TYPE, status: 400, code: 'INVALID_REQUEST', field: 'prompt' },
  { what: 'D1: blank text', body: ' \n\t', headers: TEXT_TYPE, status: 400, code: 'INVALID_REQUEST', field: 'prompt' },
  { what: 'D1: no body and no type', status: 400, code: 'INVALID_REQUEST' },
  { what: 'D1: an empty JSON body', body: '', headers: JSON_TYPE, status: 400, code: 'INVALID_REQUEST', field: 'body' },
  { what: 'D1: JSON without a prompt', body: {}, status: 400, code: 'INVALID_REQUEST', field: 'prompt' },
  { what: 'D1: a prompt that is no text', body: { prompt: 7 }, status: 400, code: 'INVALID_REQUEST', field: 'prompt' },
  { what: 'D1: a blank prompt', body: { prompt: '  ' }, status: 400, code: 'INVALID_REQUEST', field: 'prompt' },
  { what: 'D1: JSON that is a list', body: [], status: 400, code: 'INVALID_REQUEST', field: 'body' },
  { what: 'D1: broken JSON', body: '{"prompt": ', headers: JSON_TYPE, status: 400, code: 'INVALID_JSON' },
  {
    what: 'JSON that would change a prototype',
    body: '{"prompt": "x", "__proto__": {}}',
    headers: JSON_TYPE,
    status: 400,
    code: 'INVALID_JSON',
  },
  {
    what: 'an output_schema of twenty thousand levels',
    body: `{"prompt": "x", "output_schema": ${nested(20_000)}}`,
    headers: JSON_TYPE,
    status: 400,
    code: 'INVALID_REQUEST',
    field: 'body',
  },
  {
    what: 'lists of twenty thousand levels',
    body: `{"prompt": "x", "model_config": ${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
    headers: JSON_TYPE,
    status: 400,
    code: 'INVALID_REQUEST',
    field: 'body',
  },
  {
    what: 'JSON in a charset that JSON does not have',
    body: Buffer.from('{"prompt": "x"}', 'utf16le'),
    headers: { 'content-type': 'application/json; charset=utf-16' },
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
  },
  {
    what: 'JSON that is not UTF-8',
    body: Buffer.from('{"prompt": "\xe9"}', 'latin1'),
    headers: JSON_TYPE,
    status: 400,
    code: 'INVALID_JSON',
  },
  { what: 'an unknown field', body: { prompt: 'x', promt: 'y' }, status: 400, code: 'INVALID_REQUEST', field: 'promt' },
  {
    what: 'D1: a type that is no text',
    body: 'x',
    headers: { 'content-type': 'image/png' },
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
  },
  {
    what: 'a charset nobody knows',
    body: 'x',
    headers: { 'content-type': 'text/plain; charset=klingon' },
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
  },
  {
    what: 'bytes that are not the charset they claim',
    body: new Uint8Array([0xff, 0xfe, 0xfd]),
    headers: TEXT_TYPE,
    status: 400,
    code: 'INVALID_REQUEST',
    field: 'body',
  },
  {
    what: 'a prompt over MAX_PROMPT_LENGTH',
    body: { prompt: 'é'.repeat(101) },
    status: 400,
    code: 'INVALID_REQUEST',
    field: 'prompt',
  },
  {
    what: 'a text over MAX_PROMPT_LENGTH',
    body: 'x'.repeat(101),
    headers: TEXT_TYPE,
    status: 400,
    code: 'INVALID_REQUEST',
    field: 'prompt',
  },
  {
    what: 'D3: a body over MAX_REQUEST_SIZE',
    body: { prompt: 'x'.repeat(300_000) },
    status: 413,
    code: 'PAYLOAD_TOO_LARGE',
  },
  {
    what: 'D3: a text over MAX_REQUEST_SIZE',
    body: 'x'.repeat(300_000),
    headers: TEXT_TYPE,
    status: 413,
    code: 'PAYLOAD_TOO_LARGE',
  },
  {
    what: 'a timeout of nothing',
    body: { prompt: 'x', timeout: 0 },
    status: 400,
    code: 'INVALID_REQUEST',
    field: 'timeout',
  },
  {
    what: 'a timeout in words',
    body: { prompt: 'x', timeout: 'soon' },
    status: 400,
    code: 'INVALID_REQUEST',
    field: 'timeout',
  },
  {
    what: 'a timeout over MAX_EXECUTION_TIME',
    body: { prompt: 'x', timeout: '2h' },
    status: 400,
    code: 'INVALID_REQUEST',
    field: 'timeout',
  },
  {
    what: 'a model without its provider',
    body: { prompt: 'x', model: 'sonnet' },
    status: 400,
    code: 'INVALID_REQUEST',
    field: 'model',
  },
  {
    what: 'a label with a name that is none',
    body: { prompt: 'x', labels: { 'no blanks': 'y' } },
    status: 400,
    code: 'INVALID_REQUEST',
  },
  {
    what: 'D4: a repository, which no executor of this version honours',
    body: { prompt: 'x', repository: 'https://example.org/r.git' },
    status: 422,
    code: 'UNSUPPORTED_OPTION',
    field: 'repository',
  },
  {
    what: 'an idempotency key with blanks',
    body: { prompt: 'x' },
    headers: { 'idempotency-key': 'a b' },
    status: 400,
    code: 'INVALID_REQUEST',
    field: 'Idempotency-Key',
  },
]

const unknownId = randomUUID()
const others: BadRequest[] = [
  {
    what: 'B2: a session id that is no UUID',
    path: '/sessions',
    body: { session_id: 'mine' },
    status: 400,
    code: 'INVALID_REQUEST',
    field: 'session_id',
  },
  {
    what: 'B2: a session id as a URN, which would be another name of the same',
    path: '/sessions',
    body: { session_id: `urn:uuid:${unknownId}` },
    status: 400,
    code: 'INVALID_REQUEST',
    field: 'session_id',
  },
  {
    what: 'B2: a model without the prompt it is for',
    path: '/sessions',
    body: { model: 'a/b' },
    status: 400,
    code: 'INVALID_REQUEST',
    field: 'model',
  },
  {
    what: 'B2: an executor nobody configured',
    path: '/sessions',
    body: { executor: 'moon' },
    status: 400,
    code: 'INVALID_REQUEST',
    field: 'executor',
  },
  {
    what: 'B2: model settings, which no executor of this version honours',
    path: '/sessions',
    body: { prompt: 'x', model_config: { provider: 'openai', model: 'm' } },
    status: 422,
    code: 'UNSUPPORTED_OPTION',
    field: 'model_config',
  },
  {
    what: 'a retention that is over at once',
    path: '/sessions',
    body: { retention: '1ms' },
    status: 400,
    code: 'INVALID_REQUEST',
    field: 'retention',
  },
  {
    what: 'text for a session',
    path: '/sessions',
    body: 'x',
    headers: TEXT_TYPE,
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
  },
  ...(
    [
      ['GET', ''],
      ['GET', '/status'],
      ['GET', '/messages'],
      ['GET', '/events'],
      ['GET', '/stream'],
      ['POST', '/cancel'],
      ['POST', '/stop'],
      ['DELETE', ''],
    ] as const
  ).flatMap(([method, route]): BadRequest[] => [
    {
      what: 'a session nobody made',
      method,
      path: `/sessions/${unknownId}${route}`,
      status: 404,
      code: 'SESSION_NOT_FOUND',
    },
    {
      what: 'an id that is no UUID',
      method,
      path: `/sessions/nope${route}`,
      status: 400,
      code: 'INVALID_REQUEST',
      field: 'id',
    },
  ]),
  {
    what: 'a message for a session nobody made',
    path: `/sessions/${unknownId}/messages`,
    body: { prompt: 'x' },
    status: 404,
    code: 'SESSION_NOT_FOUND',
  },
  {
    what: 'a command for a session nobody made',
    path: `/sessions/${unknownId}/shell`,
    body: { command: 'true' },
    status: 404,
    code: 'SESSION_NOT_FOUND',
  },
  {
    what: 'a blank command',
    path: `/sessions/${unknownId}/shell`,
    body: { command: ' ' },
    status: 400,
    code: 'INVALID_REQUEST',
    field: 'command',
  },
  {
    what: 'a wish for a busy session that is none',
    path: `/sessions/${unknownId}/messages`,
    body: { prompt: 'x', on_busy: 'shout' },
    status: 400,
    code: 'INVALID_REQUEST',
    field: 'on_busy',
  },
  {
    what: 'a page of 0',
    method: 'GET',
    path: '/sessions?limit=0',
    status: 400,
    code: 'INVALID_REQUEST',
    field: 'limit',
  },
  {
    what: 'a page of 201',
    method: 'GET',
    path: '/sessions?limit=201',
    status: 400,
    code: 'INVALID_REQUEST',
    field: 'limit',
  },
  {
    what: 'a status that is none',
    method: 'GET',
    path: '/sessions?status=fine',
    status: 400,
    code: 'INVALID_REQUEST',
    field: 'status',
  },
  {
    what: 'a parameter that is none',
    method: 'GET',
    path: '/sessions?page=2',
    status: 400,
    code: 'INVALID_REQUEST',
    field: 'page',
  },
  {
    what: 'a cursor of somebody else',
    method: 'GET',
    path: '/sessions?cursor=abc',
    status: 400,
    code: 'INVALID_CURSOR',
    field: 'cursor',
  },
  { what: 'a route that is none', method: 'GET', path: '/nothing/here', status: 404, code: 'NOT_FOUND' },
  { what: 'a method a route does not have', method: 'GET', path: '/run', status: 405, code: 'METHOD_NOT_ALLOWED' },
  {
    what: 'a method nobody has here',
    method: 'PATCH',
    path: `/sessions/${unknownId}`,
    status: 405,
    code: 'METHOD_NOT_ALLOWED',
  },
  { what: 'a path that cannot be decoded', method: 'GET', path: '/sessions/%ZZ', status: 400, code: 'INVALID_REQUEST' },
]

test('a bad request', async (t) => {
  const gateway = await startGateway(t, { env: { MAX_REQUEST_SIZE: '262144', MAX_PROMPT_LENGTH: '100' } })

  for (const bad of run) {
    await t.test(`is refused by /run: ${bad.what}`, async () => {
      assertProblem(await gateway.call('POST', '/run', bad.body, bad.headers), bad, '/run')
    })
  }
  for (const bad of others) {
    const { method = 'POST', path = '/' } = bad
    await t.test(`is refused by ${method} ${path.replace(unknownId, '{id}')}: ${bad.what}`, async () => {
      assertProblem(await gateway.call(method, path, bad.body, bad.headers), bad, path.split('?')[0] ?? path)
    })
  }

  await t.test('starts nothing', async () => {
    assert.deepEqual(gateway.executor.inputs(), [])
    assert.deepEqual((await gateway.call('GET', '/sessions')).json().sessions, [])
  })
})

test('JSON may be as deep as the limit, which the refusal names', async (t) => {
  const gateway = await startGateway(t)
  const post = (levels: number) =>
    gateway.call('POST', '/sessions', `{"prompt": "say: hi", "output_schema": ${nested(levels)}}`, JSON_TYPE)
  // The body itself is the first level.
  const deepest = await post(wireLimits.jsonDepth - 1)
  assert.equal(deepest.status, 201, deepest.text)
  const deeper = await post(wireLimits.jsonDepth)
  assert.equal(deeper.status, 400)
  assert.match(String(deeper.json().detail), new RegExp(`\\b${wireLimits.jsonDepth} levels`))
})

test('JSON is read in UTF-8, however a client writes that', async (t) => {
  const gateway = await startGateway(t)
  for (const type of ['application/json; charset=UTF-8', 'application/json;charset="utf8"']) {
    const answer = await gateway.call('POST', '/run', '\ufeff{"prompt": "say: é"}', { 'content-type': type })
    assert.equal(answer.status, 200, answer.text)
    assert.equal(answer.json().output, 'é')
  }
})
