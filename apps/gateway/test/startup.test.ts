import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { ExecutorError, GatewayError } from '@opencode-gateway/contracts'
import { renderBanner } from '../src/start/banner.ts'
import { engineSettings, SCRIPTED_MODEL } from '../src/settings/engine-settings.ts'
import { requireExecutor, startExecutor, type ExecutorStartup } from '../src/start/executor-startup.ts'
import { renderOpenApi } from '../src/openapi/document.ts'
import { startFailure } from '../src/start/start-failure.ts'
import { configOf } from './gateway.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

describe('the start of the executor', () => {
  const start = async (attempts: (Error | undefined)[], signal = new AbortController().signal) => {
    const seen: ExecutorStartup[] = []
    const executor = {
      name: 'x',
      start: async () => {
        const err = attempts.shift()
        if (err) throw err
      },
    }
    const options = { executor, log: silent, signal, delayMs: 1, maximumDelayMs: 2 }
    await startExecutor({ ...options, onChange: (startup) => void seen.push(startup) })
    return seen
  }

  it('is tried again until it works', async () => {
    const sick = new ExecutorError('EXECUTOR_UNAVAILABLE', 'no answer')
    assert.deepEqual(await start([sick, sick, undefined]), [
      { status: 'failed', reason: 'no answer' },
      { status: 'failed', reason: 'no answer' },
      { status: 'started' },
    ])
  })

  it('is given up when trying again cannot help', async () => {
    const wrong = new ExecutorError('ENGINE_INCOMPATIBLE', 'an engine of another age')
    await assert.rejects(start([wrong]), wrong)
  })

  it('ends with the gateway', async () => {
    const stop = AbortSignal.abort(new Error('the gateway stops'))
    await assert.rejects(start([new Error('x')], stop), /the gateway stops/)
  })

  it('lets runs wait while it has not failed', () => {
    requireExecutor({ status: 'starting' })
    requireExecutor({ status: 'started' })
    assert.throws(() => requireExecutor({ status: 'failed', reason: 'r' }), { code: 'EXECUTOR_UNAVAILABLE' })
  })
})

describe('what keeps the gateway from starting', () => {
  const place = { host: '127.0.0.1', port: 80, metricsPort: 90, dataDir: '/d' }
  const cases: [unknown, number, RegExp][] = [
    [Object.assign(new Error('x'), { code: 'EADDRINUSE' }), 69, /Port 80 on 127\.0\.0\.1 is taken.* set PORT to/],
    [Object.assign(new Error('x'), { code: 'EADDRINUSE', port: 90 }), 69, /Port 90 .* set METRICS_PORT to/],
    [Object.assign(new Error('x'), { code: 'EADDRNOTAVAIL' }), 69, /no address 127\.0\.0\.1/],
    [Object.assign(new Error('mkdir /d'), { code: 'EACCES' }), 69, /Not permitted: mkdir \/d/],
    [new GatewayError('STORE_UNAVAILABLE', 'it is in use'), 69, /it is in use .*DATA_DIR is "\/d"/],
    [new ExecutorError('EXECUTOR_UNAVAILABLE', 'no such binary'), 69, /no such binary/],
    [new Error('a mistake of ours'), 70, /a mistake of ours/],
  ]
  for (const [err, exitCode, message] of cases) {
    it(`is told with exit code ${exitCode}: ${message.source}`, () => {
      const failure = startFailure(err, place)
      assert.equal(failure.exitCode, exitCode)
      assert.match(failure.message, message)
    })
  }
})

describe('what an engine of our own is given', () => {
  const none = { authJson: undefined, authToken: undefined, configJson: undefined, providerKeys: {} }

  it('D5: is what the operator set', () => {
    const secrets = {
      authJson: '{"openai":{"type":"api","key":"k"}}',
      authToken: 'token',
      configJson: '{"instructions":["x"],"model":"a/b"}',
      providerKeys: { OPENAI_API_KEY: 'k' },
    }
    assert.deepEqual(engineSettings({ secrets, model: 'c/d', scriptedModelUrl: undefined }), {
      config: { instructions: ['x'], model: 'c/d' },
      auth: { openai: { type: 'api', key: 'k' } },
      environment: { OPENAI_API_KEY: 'k', OPENCODE_AUTH_TOKEN: 'token' },
    })
  })

  it('is the scripted model when there is nothing else', () => {
    const { config, environment } = engineSettings({ secrets: none, model: undefined, scriptedModelUrl: 'http://m/v1' })
    assert.equal(config.model, SCRIPTED_MODEL)
    assert.equal(Object(config.provider).scripted.options.baseURL, 'http://m/v1')
    assert.deepEqual(environment, {})
  })
})

describe('the banner', () => {
  const banner = (env: Record<string, string>, keys: number) =>
    renderBanner({ version: '1.2.3', address: 'http://0.0.0.0:8080', config: configOf(env).config, keys })

  it('says where the gateway is and what answers', () => {
    const text = banner({ ANTHROPIC_API_KEY: 'sk-secret', OPENCODE_MODEL: 'anthropic/x' }, 1)
    assert.match(text, /OpenCode Gateway 1\.2\.3[^]*http:\/\/localhost:8080[^]*server, its own engine[^]*anthropic\/x/)
    assert.equal(/!!|sk-secret/.test(text), false)
  })

  it('warns of what is missing', () => {
    assert.match(banner({}, 0), /NO MODEL PROVIDER[^]*NO API KEY IS CONFIGURED:/)
    assert.match(banner({ ALLOW_UNAUTHENTICATED: 'true' }, 0), /ALLOW_UNAUTHENTICATED IS SET/)
  })
})

describe('the OpenAPI document', async () => {
  const text = await renderOpenApi()
  const document = Object(JSON.parse(text))
  const operations: [string, Record<string, unknown>][] = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(Object(methods)).map(([method, operation]): [string, Record<string, unknown>] => [
      `${method} ${path}`,
      Object(operation),
    ]),
  )

  it('is the committed one', () => {
    const committed = readFileSync(new URL('../openapi.json', import.meta.url), 'utf8')
    assert.equal(text, committed, 'write it anew with: node scripts/openapi.ts')
  })

  it('is OpenAPI 3.1 with two ways to send a key, and one for the token of a stream', () => {
    assert.equal(document.openapi, '3.1.0')
    assert.deepEqual(Object.keys(document.components.securitySchemes), ['bearer', 'apiKey', 'streamToken'])
  })

  it('names every operation once, and what can go wrong with it', () => {
    const names = operations.map(([, { operationId }]) => operationId)
    assert.equal(new Set(names).size, operations.length)
    for (const [route, { operationId, summary, responses, security }] of operations) {
      assert.equal(typeof operationId, 'string', route)
      assert.equal(typeof summary, 'string', route)
      if (security === undefined) assert.ok('401' in Object(responses) && '429' in Object(responses), route)
    }
  })

  it('has no reference that leads nowhere', () => {
    const names = [...text.matchAll(/"\$ref": "#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name ?? '')
    assert.ok(names.length > 50)
    for (const name of names) assert.ok(name in document.components.schemas, name)
    assert.equal(/"\$ref": "(?!#\/components\/schemas\/)/.test(text), false)
  })

  it('says which bodies may be left out', () => {
    const { paths } = document
    assert.equal(paths['/sessions/{id}/cancel'].post.requestBody.required, false)
    assert.equal(paths['/sessions/{id}/stop'].post.requestBody.required, false)
    assert.equal(paths['/run'].post.requestBody.required, true)
    assert.equal('requestBody' in paths['/sessions/{id}'].delete, false)
  })

  it('says that /run takes plain text', () => {
    const { content } = document.paths['/run'].post.requestBody
    assert.equal(content['text/plain'].schema.type, 'string')
    assert.equal(content['application/json'].schema.$ref, '#/components/schemas/RunRequest')
  })
})
