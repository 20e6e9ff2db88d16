import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createScriptedModel } from '@opencode-gateway/scripted-model'
import { engineConfig } from '../../bench/lib/lean-engine.ts'
import { freePort, prepareStack, type Stack } from './compose.ts'
import { docker, engineImage, gatewayImage, missing, standIns } from './docker.ts'
import { selfSigned } from './self-signed.ts'
import { assertAsksInEarnest, containersOf } from './stack-containers.ts'
import { assertObserves } from './stack-metrics.ts'
import { assertProxies } from './stack-proxy.ts'
import { smoke, soak } from './stack-scripts.ts'

const STEPS = [
  'identity',
  'readiness',
  'session',
  'echo',
  'pwd',
  'files',
  'exit code',
  'status',
  'long command',
  'cancel',
  'events',
]
const EACH = { timeout: 300_000 }
const OPTIONS = { timeout: 900_000, skip: (await missing(gatewayImage)) || (await missing(standIns.caddy)) }

test('the stack of docker/compose.yaml', OPTIONS, async (t) => {
  const ports = { https: await freePort(), nginx: await freePort(), prometheus: await freePort() }
  const tls = selfSigned(t)
  const stack = await prepareStack(t, {
    EXECUTOR: 'server',
    MAX_EXECUTION_TIME: '123s',
    MAX_REQUEST_SIZE: '4000000',
    OPENCODE_CONFIG_JSON: `'${JSON.stringify(engineConfig(await serveModel(t)))}'`,
    OPENCODE_MODEL: 'script/script-1',
    CADDY_IMAGE: standIns.caddy,
    NGINX_IMAGE: standIns.nginx,
    PROMETHEUS_IMAGE: standIns.prometheus,
    HTTP_PORT: String(await freePort()),
    HTTPS_PORT: String(ports.https),
    PROMETHEUS_PORT: String(ports.prometheus),
    TLS_DIRECTORY: tls.directory,
  })
  const startedAt = performance.now()
  await stack.up('gateway', 'engine')
  t.diagnostic(`EXECUTOR=server: up and ready after ${Math.round(performance.now() - startedAt)} ms`)
  await stack.compose('up', '--detach', '--no-build', 'caddy', 'prometheus')
  stack.set({ HTTPS_PORT: String(ports.nginx) })
  await stack.compose('up', '--detach', '--no-build', '--no-deps', 'nginx')
  stack.set({ HTTPS_PORT: String(ports.https) })
  const call = (path: string, body?: object) => callGateway(t, stack, path, body)

  await t.test('A3, E7: with EXECUTOR=server it passes the smoke, whose steps are timed', EACH, async (t) => {
    assert.deepEqual(await smoke(t, stack), STEPS)
  })

  await t.test('every container of it is confined, and none sees the socket of Docker', EACH, async () => {
    const seen = await containersOf(stack)
    const services = seen.map(({ Config }) => String(Config.Labels['com.docker.compose.service']))
    assert.deepEqual(services.toSorted(), ['caddy', 'engine', 'gateway', 'nginx', 'prometheus'])
    for (const { Config, HostConfig } of seen) {
      const service = Config.Labels['com.docker.compose.service']
      assert.deepEqual([HostConfig.ReadonlyRootfs, HostConfig.CapDrop, HostConfig.Privileged], [true, ['ALL'], false])
      const added = HostConfig.CapAdd?.map((name) => name.replace(/^CAP_/, ''))
      assert.deepEqual(added ?? [], service === 'caddy' ? ['NET_BIND_SERVICE'] : [])
      assert.deepEqual(HostConfig.SecurityOpt, ['no-new-privileges:true'])
      assert.ok(HostConfig.PidsLimit > 0 && HostConfig.Memory > 0)
      assert.equal(HostConfig.RestartPolicy.Name, 'unless-stopped')
      assert.equal(HostConfig.LogConfig.Config['max-size'], '10m')
      if (service === 'gateway' || service === 'engine') assert.equal(Config.User, '1000:1000')
      assert.ok(HostConfig.Binds.every((bind) => !bind.includes('docker.sock')))
    }
  })

  await t.test('D7: settings in docker/.env reach the gateway, and the configuration its engine', EACH, async () => {
    const { limits } = await call('/capabilities')
    const { run_timeout_seconds: run, session_timeout_seconds: session, max_request_bytes: body } = Object(limits)
    assert.deepEqual([run, session, body], [123, 123, 4_000_000])
    const answer = await call('/run', { prompt: 'say: from the model of the configuration' })
    assert.equal(answer['output'], 'from the model of the configuration', JSON.stringify(answer))
  })

  await t.test('A4: a soak of six sessions, three at a time, is right and leaves nothing', EACH, async (t) => {
    const report = await soak(t, stack, ['--runs', '6', '--concurrency', '3'])
    assert.deepEqual([report.success, report.failed, report.failures], [6, 0, []])
    assert.deepEqual(report.sse, { opened: 6, complete: 6, disconnects: 0 })
    assert.deepEqual(report.open_sessions.left, [])
    assert.deepEqual(Object.keys(report.steps_ms), ['session', 'echo', 'list', 'exit', 'events', 'delete'])
  })

  await t.test('A2: its health checks say that it is well', EACH, async (t) => {
    for (;;) {
      const seen = (await containersOf(stack)).map(({ State }) => State.Health?.Status)
      if (seen.every((status) => status === 'healthy')) break
      await sleep(200, undefined, { signal: t.signal })
    }
  })

  await t.test('Caddy before it hands events and files on as they come', EACH, async (t) => {
    const root = '/data/caddy/pki/authorities/local/root.crt'
    let ca = ''
    while (!ca.startsWith('-----BEGIN')) {
      ca = await stack.compose('exec', '-T', 'caddy', 'cat', root).catch(() => '')
      await sleep(100, undefined, { signal: t.signal })
    }
    await assertProxies(t, { port: ports.https, apiKey: stack.apiKey, ca })
  })

  await t.test('so does nginx', EACH, async (t) => {
    await assertProxies(t, { port: ports.nginx, apiKey: stack.apiKey, ca: tls.certificate })
  })

  await t.test('Prometheus reads it, and has all that alerts and the dashboard ask for', EACH, async (t) => {
    await assertObserves(t, `http://127.0.0.1:${ports.prometheus}`)
  })

  await t.test('the health checks of these three say so when they do not answer', EACH, async () => {
    const theirs = (await containersOf(stack)).filter(({ Config }) =>
      ['caddy', 'nginx', 'prometheus'].includes(Config.Labels['com.docker.compose.service'] ?? ''),
    )
    assert.equal(theirs.length, 3)
    await Promise.all(theirs.map(({ Id, Config }) => assertAsksInEarnest(Id, Config.Healthcheck?.Test)))
  })

  await t.test(
    'E3: one variable and another up swap the executor; sessions of before are readable',
    EACH,
    async (t) => {
      const { session_id: id } = await call('/sessions', { prompt: 'say: of before' })
      const before = `/sessions/${String(id)}`
      while ((await call(`${before}/status`))['status'] !== 'completed')
        await sleep(100, undefined, { signal: t.signal })
      // Of profiles that are not asked for; what is, goes with `down`.
      await stack.compose('rm', '--stop', '--force', 'caddy', 'nginx', 'prometheus')
      await stack.compose('down')
      stack.set({ EXECUTOR: 'docker', ...(await dockerSettings()) })
      const startedAt = performance.now()
      await stack.up()
      t.diagnostic(`EXECUTOR=docker: up and ready after ${Math.round(performance.now() - startedAt)} ms`)
      assert.equal(Object((await call('/capabilities'))['executor']).name, 'docker')
      assert.match(JSON.stringify(await call(`${before}/messages`)), /of before/)
      assert.match(JSON.stringify(await call(`${before}/events`)), /"outcome":"completed"/)
    },
  )

  await t.test('A3, E7: with EXECUTOR=docker the same smoke passes, through the gate', EACH, async (t) => {
    assert.deepEqual(await smoke(t, stack), STEPS)
    const answer = await call('/run', { prompt: 'say: in a container' })
    assert.equal(answer['output'], 'in a container', JSON.stringify(answer))
  })

  await t.test('the gate alone sees the socket of Docker, and no container of an engine is left', EACH, async (t) => {
    const sees = (await containersOf(stack)).map(({ Config, HostConfig }) => {
      const socket = HostConfig.Binds.some((bind) => bind.includes('docker.sock:'))
      return { service: String(Config.Labels['com.docker.compose.service']), socket, network: HostConfig.NetworkMode }
    })
    const services = sees.map(({ service }) => service)
    assert.deepEqual(services.toSorted(), ['docker-gate', 'gateway'])
    const socketOf = sees.filter(({ socket }) => socket)
    assert.deepEqual(socketOf, [{ service: 'docker-gate', socket: true, network: 'none' }])
    const gate = (await stack.compose('ps', '-q', 'docker-gate')).trim()
    const health = await docker('exec', gate, 'docker-gate-health')
    assert.equal(health.code, 0, health.stderr)
    const left = () => docker('ps', '--all', '--quiet', '--filter', 'label=opencode-gateway.gate')
    while ((await left()).stdout !== '') await sleep(200, undefined, { signal: t.signal })
  })
})

/** Where the model is for containers: the address of this machine on the daemon's own bridge. */
async function serveModel(t: TestContext): Promise<string> {
  const model = createScriptedModel()
  const { port } = new URL(await model.listen({ host: '0.0.0.0' }))
  t.after(() => model.close())
  const { stdout } = await docker('network', 'inspect', '--format', '{{(index .IPAM.Config 0).Gateway}}', 'bridge')
  return `http://${stdout.trim()}:${port}/v1`
}

/** The socket of the tests' daemon, its group, and the image by its content. */
async function dockerSettings(): Promise<Readonly<Record<string, string>>> {
  const socket = (process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock').replace(/^unix:\/\//, '')
  const { stdout } = await docker('image', 'inspect', '--format', '{{.Id}}', engineImage)
  return { DOCKER_SOCKET: socket, DOCKER_GID: String(statSync(socket).gid), OPENCODE_IMAGE: stdout.trim() }
}

async function callGateway(
  t: TestContext,
  { url, apiKey }: Stack,
  path: string,
  body?: object,
): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
  const asked = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
  const response = await fetch(url + path, { headers, signal: t.signal, ...asked })
  const text = await response.text()
  assert.ok(response.ok, `${path} was answered with ${response.status}: ${text}`)
  return JSON.parse(text)
}
