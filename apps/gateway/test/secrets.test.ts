import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createScriptedModel } from '@opencode-gateway/scripted-model'
import { startGatewayProcess } from './gateway-process.ts'
import { eventually, temporaryDirectory } from './gateway.ts'
import { readSamples } from './prometheus.ts'

/** Must be nowhere but where they are used. */
const secrets = {
  apiKey: 'canary-1-api-key',
  providerKey: 'canary-2-provider-key',
  configKey: 'canary-3-config-key',
  authJson: 'canary-4-auth-json',
  authToken: 'canary-5-auth-token',
  wrongKey: 'canary-6-wrong-key',
  requestKey: 'canary-7-key-in-a-request',
  queryToken: 'canary-8-token-in-a-query',
}
/** Are the client's own: they come back to it, and are not for the log. */
const content = {
  prompt: 'canary-a-prompt',
  systemPrompt: 'canary-b-system-prompt',
  command: 'canary-c-command',
  output: 'canary-d-output',
  badValue: 'canary-e-bad-value',
  label: 'canary-f-label',
}

test('P12: keys are in no line of the log, no answer, no event and no database, content in no line of the log', async (t) => {
  const dataDir = await temporaryDirectory(t)
  const model = createScriptedModel()
  t.after(() => model.close())
  const models = { scripted: { tool_call: true, limit: { context: 200_000, output: 8192 } } }
  const options = { baseURL: await model.listen(), apiKey: secrets.configKey }
  await using gateway = await startGatewayProcess({
    dataDir,
    env: {
      LOG_LEVEL: 'trace',
      METRICS_PORT: '0',
      API_KEY: secrets.apiKey,
      OPENCODE_CONFIG_JSON: JSON.stringify({
        model: 'script/scripted',
        small_model: 'script/scripted',
        provider: { script: { npm: '@ai-sdk/openai-compatible', options, models }, anthropic: { models } },
      }),
      ANTHROPIC_API_KEY: secrets.providerKey,
      OPENCODE_AUTH_JSON: JSON.stringify({ anthropic: { type: 'api', key: secrets.authJson } }),
      OPENCODE_AUTH_TOKEN: secrets.authToken,
    },
  })
  await gateway.ready()
  const told: string[] = []
  async function call(path: string, body?: unknown, headers: Record<string, string> = {}) {
    const response = await fetch(`${gateway.url}${path}`, {
      signal: t.signal,
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${secrets.apiKey}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    told.push(text, JSON.stringify([...response.headers]))
    return { status: response.status, text }
  }

  const run = { system_prompt: content.systemPrompt, labels: { name: content.label }, keep_workspace: true }
  const requestId = 'the-request'
  const prompt = `say: ${content.prompt}\nrun: echo ${content.output}\nerror: 401 refused`
  const failed = await call('/run', { prompt, ...run }, { 'x-request-id': requestId })
  assert.equal(failed.status, 500, failed.text)
  const { session_id: id, run_id: runId } = JSON.parse(failed.text)
  const shell = await call(`/sessions/${id}/shell`, { command: `echo ${content.command}` }, { prefer: 'wait=60' })
  assert.equal(shell.status, 200, shell.text)
  for (const [path, body, headers, status] of [
    ['/run', { prompt: 'x', model_config: { api_key: secrets.requestKey } }, {}, 422],
    ['/run', { prompt: 'x', timeout: content.badValue }, {}, 400],
    ['/run', { prompt: content.badValue, permissions: { [content.badValue]: content.badValue } }, {}, 400],
    ['/run', `{"prompt": "${content.badValue}`, {}, 400],
    ['/run', { prompt: 'x' }, { authorization: `Bearer ${secrets.wrongKey}` }, 401],
    ['/run', { prompt: 'x' }, { authorization: '', 'x-api-key': secrets.wrongKey }, 401],
    [`/sessions/${id}`, undefined, {}, 200],
    [`/sessions/${id}?token=${secrets.queryToken}`, undefined, {}, 400],
    [`/health?token=${secrets.queryToken}`, undefined, {}, 200],
    [`/sessions/${id}/events?limit=1000`, undefined, {}, 200],
    [`/sessions/${id}/messages`, undefined, {}, 200],
    [`/sessions/${id}/status`, undefined, {}, 200],
    [`/sessions/${id}/status?after=${secrets.queryToken}`, undefined, {}, 400],
    ['/capabilities', undefined, {}, 200],
    ['/ready', undefined, {}, 200],
    ['/metrics', undefined, {}, 404],
  ] as const) {
    const answer = await call(path, body, headers)
    assert.equal(answer.status, status, `${path} ${answer.text}`)
  }

  // What an engine says when it dies is told, too.
  const pid = Number(gateway.records().find(({ msg }) => msg === 'the engine is ready')?.['pid'])
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8')
  const password = /(?:^|\0)OPENCODE_SERVER_PASSWORD=([^\0]+)/.exec(environment)?.[1]
  assert.ok(password)
  const lost = call('/run', { prompt: 'say: begun\nrun: true\nhang' })
  await eventually(t, async () => (await call('/sessions?status=running')).text.includes('run_id'))
  process.kill(pid, 'SIGKILL')
  assert.notEqual((await lost).status, 200)

  const metricsUrl = String(
    gateway.records().find(({ metricsAddress }) => metricsAddress !== undefined)?.['metricsAddress'],
  )
  const metrics = await (await fetch(`${metricsUrl}/metrics`, { signal: t.signal })).text()
  told.push(metrics)
  const samples = readSamples(metrics)
  assert.equal(samples.get('opencode_gateway_runs_ended_total{code="MODEL_AUTH",outcome="failed"}'), 1)
  assert.ok((samples.get('process_resident_memory_bytes') ?? 0) > 0)

  const correlated = gateway.records().filter((record) => record['requestId'] === requestId)
  assert.ok(correlated.some((record) => record['path'] === '/run' && record['status'] === 500))
  const opened = correlated.find(({ msg }) => msg === 'the session is open')
  assert.equal(opened?.['sessionId'], id)
  assert.equal(opened?.['runId'], runId)
  assert.match(String(Object(opened?.['ref']).engine_session_id), /^ses_/)

  assert.deepEqual(await gateway.stop(), { code: 0, signal: null })
  const names = (await readdir(dataDir)).filter((name) => name.startsWith('gateway.db'))
  const stored = (await Promise.all(names.map((name) => readFile(join(dataDir, name), 'latin1')))).join('')
  assert.ok(stored.includes(content.prompt), 'the database is read')
  assert.ok(told.join('').includes(content.output), 'the events are read')
  for (const secret of [...Object.values(secrets), password]) {
    assert.equal(gateway.logged().includes(secret), false, `${secret} is in the log`)
    assert.equal(told.join('\n').includes(secret), false, `${secret} is in an answer`)
    assert.equal(stored.includes(secret), false, `${secret} is in the database`)
  }
  for (const text of Object.values(content)) {
    assert.equal(gateway.logged().includes(text), false, `${text} is in the log`)
  }
})
