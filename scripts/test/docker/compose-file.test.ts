import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { parse } from 'yaml'
import { composeCommand, envFileOf, runCompose, type Settings } from './compose.ts'
import { gatewayImage, missing } from './docker.ts'

interface Service {
  image: string
  profiles?: readonly string[]
  environment?: Readonly<Record<string, string | null>>
}

const directory = new URL('../../../docker/', import.meta.url)
const read = (name: string) => readFileSync(new URL(name, directory), 'utf8')
const OPTIONS = { timeout: 120_000, skip: await missing(gatewayImage) }

/** What the stack sets itself, or has no use for: the ports and places in its containers, and which engine there is. */
const NOT_SET: ReadonlySet<string> = new Set(
  'HOST METRICS_PORT MODEL_PROXY_PORT ALLOW_UNAUTHENTICATED DATA_DIR OPENCODE_SERVER_ENABLED OPENCODE_SERVER_URL'
    .concat(' DOCKER_HOST ENGINE_MAX_RSS ENGINE_MAX_AGE ENGINE_MAX_DIRECTORIES PORT')
    .split(' '),
)

test('every profile has its services', () => {
  const { services }: { services: Readonly<Record<string, Service>> } = parse(read('compose.yaml'))
  const of: Readonly<Record<string, readonly string[]>> = {
    server: ['engine'],
    docker: ['docker-gate'],
    proxy: ['caddy'],
    'proxy-nginx': ['nginx'],
    observability: ['grafana', 'prometheus'],
  }
  for (const [profile, expected] of Object.entries(of)) {
    const names = Object.entries(services).flatMap(([name, { profiles }]) =>
      profiles?.includes(profile) ? [name] : [],
    )
    assert.deepEqual(names.toSorted(), expected)
  }
  const always = Object.entries(services).flatMap(([name, { profiles }]) => (profiles ? [] : [name]))
  assert.deepEqual(always, ['gateway'])
})

test(
  'D7: every setting of the gateway can stand in docker/.env, and nothing stands in its example in vain',
  OPTIONS,
  async (t) => {
    const names = [...read('../.env.example').matchAll(/^#?([A-Z_]+)=/gm)].map(([, name = '']) => name)
    // Names that other gateways of this kind have for them.
    const older = ['MAX_CONCURRENT_TASKS', 'SESSION_TIMEOUT', 'TASK_TIMEOUT']
    const wanted = [...names.filter((name) => !NOT_SET.has(name)), ...older]
    assert.ok(wanted.length > 50)
    const given = Object.fromEntries(wanted.map((name) => [name, `canary-${name.toLowerCase()}`]))
    const profiles = { COMPOSE_PROFILES: 'server,docker,proxy,proxy-nginx,observability' }
    t.diagnostic((await composeCommand()).join(' '))
    const { services }: { services: Readonly<Record<string, Service>> } = parse(
      await compose(t, { ...given, ...profiles, WORKSPACE_ROOT: '/canary' }, 'config'),
    )
    assert.equal(Object.keys(services).length, 7)
    const { environment = {} } = services['gateway'] ?? {}
    const lost = wanted.filter((name) => name !== 'WORKSPACE_ROOT' && environment[name] !== given[name])
    assert.deepEqual(lost, [])
    const file = read('compose.yaml')
    for (const [, name = ''] of read('.env.example').matchAll(/^#?([A-Z_]+)=/gm))
      if (!name.startsWith('COMPOSE_')) assert.match(file, new RegExp(`\\b${name}\\b`), name)
  },
)

test('every service of it is confined, bounded, asked for its health and started again, with a log that has an end', () => {
  const { services }: { services: Readonly<Record<string, object>> } = parse(read('compose.yaml'), { merge: true })
  for (const [name, service] of Object.entries(services)) {
    const {
      read_only,
      cap_drop,
      security_opt,
      restart,
      logging,
      mem_limit,
      pids_limit,
      privileged,
      build,
      healthcheck,
    } = Object(service)
    assert.deepEqual([read_only, cap_drop, security_opt], [true, ['ALL'], ['no-new-privileges:true']], name)
    assert.deepEqual([restart, privileged], ['unless-stopped', undefined], name)
    assert.deepEqual(Object.keys(logging.options), ['max-size', 'max-file'], name)
    assert.ok(mem_limit && pids_limit > 0, name)
    const { test: asked, interval, timeout, retries } = Object(healthcheck)
    // Images that are built here ask for themselves.
    assert.ok(build || (asked?.[0] === 'CMD' && interval && timeout && retries), name)
  }
})

test('A2: the health checks of engine and gateway are that script, and none is always well', () => {
  const texts = ['compose.yaml', 'gateway/Dockerfile', 'engine/Dockerfile'].map(read)
  const healthChecks = texts.flatMap((text) => [...text.matchAll(/(?:CMD|test:) (\[.+\])$/gm)].map(([, test]) => test))
  const asking = healthChecks.filter((test = '') => /health/.test(test))
  const those = asking.filter((test = '') => /"?healthcheck"?, /.test(test))
  assert.deepEqual(
    those.map((test = '') => test.includes('--ready')),
    [false, true],
  )
  for (const test of healthChecks) assert.doesNotMatch(String(test), /exit 0|\btrue\b/)
})

test('what the compose file mounts of this repository is there', () => {
  const paths = [...read('compose.yaml').matchAll(/^ +- (\.\/[^:]+):/gm)].map(([, path = '']) => path)
  assert.ok(paths.length >= 5)
  for (const path of paths) assert.ok(existsSync(new URL(path, directory)), path)
})

test('no password of Grafana is everybody’s: without one it does not start', () => {
  const file: { services: { grafana: { entrypoint: readonly string[] } } } = parse(read('compose.yaml'))
  const [shell, flag, script = ''] = file.services.grafana.entrypoint
  assert.deepEqual([shell, flag], ['sh', '-c'])
  assert.match(script, /^\[ -n "\$\$GF_SECURITY_ADMIN_PASSWORD" \] \|\| \{ .*exit 64; \}; exec \/run\.sh$/)
})

async function compose(t: TestContext, settings: Settings, ...args: readonly string[]): Promise<string> {
  const work = mkdtempSync(join(tmpdir(), 'compose-file-'))
  t.after(() => rmSync(work, { recursive: true, force: true }))
  const own = { API_KEY: 'a-key', ...settings }
  writeFileSync(join(work, 'env'), envFileOf(own))
  return await runCompose(own, ['--env-file', join(work, 'env')], ...args)
}
