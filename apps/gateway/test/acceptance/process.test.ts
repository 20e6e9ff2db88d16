import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { lines } from '@opencode-gateway/executor-testing'
import { idsOf, readEvents, type Frame } from '../event-source.ts'
import { startGatewayProcess, type GatewayProcess } from '../gateway-process.ts'
import { callOf, eventually, type Gateway } from '../gateway.ts'
import { engineSessions, filesIn, startRealGateway } from '../real-engine.ts'
import { processesWith } from '../processes.ts'

const LIMIT = { timeout: 120_000 }
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)
const isComplete = ({ event }: Frame) => event === 'complete'

async function begin(call: Gateway['call'], steps: readonly string[]): Promise<string> {
  const made = await call('POST', '/sessions', { prompt: steps.join('\n') })
  assert.equal(made.status, 201, made.text)
  return String(made.json().session_id)
}

test(
  'D5: credentials and configuration reach the provider or the engine, and no log, file, answer or command line',
  LIMIT,
  async (t) => {
    const secrets = {
      key: 'canary-key-of-the-gateway',
      auth: 'canary-auth-of-the-provider',
      oauth: 'canary-oauth-of-a-provider',
      token: 'canary-token-of-the-account',
      header: 'canary-header-of-the-config',
      provider: 'canary-key-of-a-provider',
    }
    const real = await startRealGateway({
      env: {
        API_KEY: secrets.key,
        OPENCODE_AUTH_JSON: JSON.stringify({
          script: { type: 'api', key: secrets.auth },
          openai: { type: 'oauth', refresh: secrets.oauth, access: secrets.oauth, expires: 0 },
        }),
        OPENCODE_AUTH_TOKEN: secrets.token,
        GROQ_API_KEY: secrets.provider,
        LOG_LEVEL: 'trace',
      },
      provider: { headers: { 'x-config': secrets.header } },
    })
    t.after(() => real[Symbol.asyncDispose]())
    const call = callOf(t, real.url)
    const authorization = { authorization: `Bearer ${secrets.key}` }

    const script = [lines.run('true'), lines.error(500), lines.say('after a failure')].join('\n')
    const answers = [await call('POST', '/run', { prompt: script, keep_workspace: true }, authorization)]
    assert.equal(answers[0]?.status, 200, answers[0]?.text)
    const [received] = real.model.requests
    assert.equal(received?.headers.authorization, `Bearer ${secrets.auth}`)
    assert.equal(received.headers['x-config'], secrets.header)

    // What can be behind the model proxy is not with the engine, whose agents can read all it has; the rest is, and told.
    const pid = Number(real.process.records().find(({ msg }) => msg === 'the engine is ready')?.pid)
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8')
    for (const secret of [secrets.key, secrets.auth, secrets.header, secrets.provider]) {
      assert.equal(environment.includes(secret), false, `${secret} is in the environment of the engine`)
    }
    assert.match(environment, /OPENCODE_AUTH_CONTENT=\{"openai":\{"type":"oauth","refresh":"canary-oauth/)
    assert.ok(environment.includes(`OPENCODE_AUTH_TOKEN=${secrets.token}`))
    assert.match(environment, /"model":"script\/scripted"/)
    assert.match(real.process.logged(), /PROVIDER \\"openai\\" IS NOT BEHIND THE MODEL PROXY/)
    const capabilities = await call('GET', '/capabilities', undefined, authorization)
    assert.deepEqual(Object(capabilities.json().model).direct_providers, ['openai'])

    const id = String(answers[0].json().session_id)
    for (const path of [
      '/capabilities',
      '/ready',
      '/sessions',
      ...['', '/events', '/messages'].map((end) => `/sessions/${id}${end}`),
    ]) {
      answers.push(await call('GET', path, undefined, authorization))
    }
    answers.push(await call('POST', '/run', { prompt: lines.error(401, 'no'), model: 'script/nothing' }, authorization))
    const texts = [...answers.map(({ text }) => text), real.process.logged(), ...(await commandLines())]
    const files = await contentsBelow(real.dataDir)
    for (const [name, secret] of Object.entries(secrets)) {
      for (const text of texts) assert.equal(text.includes(secret), false, `the ${name} is in: ${text.slice(0, 200)}`)
      for (const [file, content] of files) assert.equal(content.includes(secret), false, `the ${name} is in ${file}`)
    }
  },
)

/** Command lines of all processes that can be seen. */
async function commandLines(): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  return await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
}

async function contentsBelow(directory: string): Promise<ReadonlyMap<string, Buffer>> {
  const contents = new Map<string, Buffer>()
  for (const name of await readdir(directory, { recursive: true })) {
    const content = await contentOf(join(directory, name))
    if (content) contents.set(name, content)
  }
  return contents
}

/** Undefined for what is no file, or gone meanwhile. */
async function contentOf(file: string): Promise<Buffer | undefined> {
  try {
    return (await stat(file)).isFile() ? await readFile(file) : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

test(
  'B3, B6, D6: what becomes of runs when the gateway stops, is killed and starts again',
  { timeout: 240_000 },
  async (t) => {
    const real = await startRealGateway({ env: { SHUTDOWN_GRACE: '60s' } })
    t.after(() => real[Symbol.asyncDispose]())
    const { model, dataDir } = real
    const encryptionKey = randomBytes(32).toString('base64')
    const start = async (shutdownGrace: string): Promise<GatewayProcess> => {
      const oneAtATime = { MAX_CONCURRENT_SESSIONS: '1', ENCRYPTION_KEY: encryptionKey }
      const env = { OPENCODE_CONFIG_JSON: real.configJson, SHUTDOWN_GRACE: shutdownGrace, ...oneAtATime }
      const started = await startGatewayProcess({ dataDir, env })
      t.after(() => started[Symbol.asyncDispose]())
      await started.ready()
      return started
    }

    await t.test('D6: the log has the id of the request from the request over the run to its end', LIMIT, async (t) => {
      const requestId = 'acceptance-d6'
      const answer = await callOf(t, real.url)(
        'POST',
        '/run',
        { prompt: lines.say('hi') },
        { 'x-request-id': requestId },
      )
      assert.equal(answer.headers.get('x-request-id'), requestId)
      const of = () => real.process.records().filter((record) => record['requestId'] === requestId)
      await eventually(t, () => of().some(({ msg }) => msg === 'answered'))
      const ended = of().find(({ msg }) => msg === 'run ended')
      assert.deepEqual([ended?.['runId'], ended?.['outcome']], [answer.json().run_id, 'completed'])
    })

    const kept: string[] = []
    await t.test('D6: after SIGTERM what runs is finished, and nothing new is begun', LIMIT, async (t) => {
      const call = callOf(t, real.url)
      const running = call('POST', '/run', { prompt: [lines.gate('last'), lines.say('finished')].join('\n') })
      await model.waitForGate('last', t.signal)
      const stopped = real.process.stop('SIGTERM')
      await eventually(t, async () => (await call('POST', '/run', { prompt: lines.say('no') })).status === 503)
      assert.equal((await call('GET', '/health')).status, 200)
      model.release('last')
      const answer = await running
      assert.deepEqual([answer.status, answer.json().output], [200, 'finished'])
      assert.deepEqual(await stopped, { code: 0, signal: null })
      assert.equal(model.open(), 0)
      assert.equal(await enginesOf(dataDir), 0)
    })

    await t.test('D6: what takes longer than the grace time is handed over to the next start', LIMIT, async (t) => {
      const gateway = await start('4s')
      const id = await begin(callOf(t, gateway.url), [lines.say('begun'), lines.hang()])
      await using reader = await readEvents(`${gateway.url}/sessions/${id}/stream`, t.signal)
      const seen = await reader.until(({ event }) => event === 'output')
      assert.deepEqual(await gateway.stop('SIGTERM'), { code: 0, signal: null })
      assert.equal((await reader.rest()).some(isComplete), false)
      assert.equal(model.open(), 0)
      kept.push(id, String(idsOf(seen).at(-1)))
    })

    await t.test(
      'B3: after the restart a stream goes on behind the last id, to the end of its run',
      LIMIT,
      async (t) => {
        const [id = '', last = ''] = kept
        const gateway = await start('60s')
        const call = callOf(t, gateway.url)
        await using reader = await readEvents(`${gateway.url}/sessions/${id}/stream`, t.signal, {
          headers: { 'last-event-id': last },
        })
        const rest = (await reader.rest()).filter((frame) => frame.id !== undefined)
        assert.equal(idsOf(rest)[0], Number(last) + 1)
        await assertInterrupted(t, gateway, id)
        const again = await call('POST', `/sessions/${id}/messages`, { prompt: lines.say('and on') })
        assert.equal(again.status, 202, again.text)
        await eventually(t, async () => (await call('GET', `/sessions/${id}/status`)).json().status === 'completed')
        assert.match((await call('GET', `/sessions/${id}/messages`)).text, /begun[^]*and on/)
        assert.equal((await call('DELETE', `/sessions/${id}`)).status, 200)

        // Killed in the middle of an agent's command, with everything it had.
        const killed = await begin(call, [lines.run('echo $$ > pid.new; mv pid.new pid; sleep 1000 & wait')])
        await eventually(t, async () => (await filesIn(real.workspaceRoot)).includes(`${killed}/pid`))
        const keyed = { provider: 'script', model: 'scripted', api_key: 'key-of-the-request' }
        const waiting = await call('POST', '/sessions', { prompt: lines.say('with its key'), model_config: keyed })
        assert.equal(waiting.status, 201, waiting.text)
        kept.splice(0, kept.length, killed, String(waiting.json().session_id))
        assert.deepEqual(await gateway.stop('SIGKILL'), { code: null, signal: 'SIGKILL' })
      },
    )

    await t.test('B6: after a kill no run stays running, no process and no engine is left over', LIMIT, async (t) => {
      const [id = '', waiting = ''] = kept
      const pid = Number(await readFile(join(real.workspaceRoot, id, 'pid'), 'utf8'))
      const gateway = await start('4s')
      await assertInterrupted(t, gateway, id)
      const call = callOf(t, gateway.url)
      await eventually(t, async () => (await call('GET', `/sessions/${waiting}/status`)).json().status === 'completed')
      assert.equal(model.requests.at(-1)?.headers['authorization'], 'Bearer key-of-the-request', 'it was kept sealed')
      assert.equal((await call('DELETE', `/sessions/${waiting}`)).status, 200)
      assert.equal(
        (await processesWith(dataDir)).some((seen) => seen.pid === pid),
        false,
      )
      assert.equal(await enginesOf(dataDir), 1)
      assert.equal((await call('DELETE', `/sessions/${id}`)).status, 200)
      assert.deepEqual(await filesIn(real.workspaceRoot), [])
      assert.deepEqual(engineSessions(real), [])
      await gateway.stop()
      assert.equal(await enginesOf(dataDir), 0)
    })
  },
)

/** A run that was lost with the engine it worked in has ended, once, and says what a client has to know. */
async function assertInterrupted(t: TestContext, { url }: GatewayProcess, id: string): Promise<void> {
  const call = callOf(t, url)
  await eventually(t, async () => (await call('GET', `/sessions/${id}/status`)).json().status === 'interrupted')
  await using reader = await readEvents(`${url}/sessions/${id}/stream`, t.signal)
  const log = (await reader.rest()).filter((frame) => frame.id !== undefined)
  assert.deepEqual(idsOf(log), upTo(log.length))
  const endings = log.filter(isComplete)
  assert.equal(endings.length, 1)
  const { outcome, success, error, side_effects: sideEffects } = endings[0]?.data ?? {}
  assert.deepEqual([outcome, success, sideEffects], ['interrupted', false, 'possible'])
  assert.equal(Object(error).retryable, true)
}

/** How many engines work for this data directory. */
async function enginesOf(dataDir: string): Promise<number> {
  return (await processesWith(dataDir)).filter(({ command }) => command.includes('\0serve\0')).length
}
