import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { checks } from '../diagnosis/checks.mjs'
import { unreachable } from '../diagnosis/daemon.mjs'
import { deployedFinding } from '../diagnosis/deployed.mjs'
import { deploymentFinding } from '../diagnosis/deployment.mjs'
import { nodeFinding } from '../diagnosis/host.mjs'

const script = fileURLToPath(new URL('../doctor', import.meta.url))
const look = async (check: string, env: Readonly<Record<string, string>>) => {
  const found = checks[check]
  assert.ok(found, check)
  return await found(env)
}

test('the doctor finds what is missing and says how to put it right', async (t) => {
  const directory = tempDirectory(t)
  const nowhere = join(directory, 'nowhere')
  const file = join(directory, 'file')
  writeFileSync(file, '')
  const checkout = new URL('..', import.meta.url).pathname
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, string, RegExp])[] = [
    ['node', {}, 'ok', /^24\./],
    ['git', {}, 'ok', /git version/],
    ['ripgrep', { EXECUTOR: 'docker' }, 'ok', /the engine has its own/],
    ['data', { DATA_DIR: nowhere }, 'ok', /nowhere/],
    ['data', { DATA_DIR: join(file, 'below') }, 'missing', /is no directory/],
    ['workspaces', { WORKSPACE_ROOT: directory }, 'ok', /doctor-/],
    ['workspaces', { WORKSPACE_ROOT: nowhere }, 'missing', /install -d -o 1000/],
    ['workspaces', { WORKSPACE_ROOT: 'here' }, 'missing', /absolute/],
    ['workspaces', { WORKSPACE_ROOT: checkout }, 'missing', /project/],
    ['workspaces', { EXECUTOR: 'docker' }, 'careful', /under the same path/],
    ['port', { PORT: 'http' }, 'missing', /0 to 65535/],
    ['port', { HOST: '192.0.2.1' }, 'missing', /EADDRNOTAVAIL/],
    ['key', {}, 'careful', /only clients of this machine/],
    ['key', { API_KEY: 'x' }, 'ok', /clients need one/],
    ['model', {}, 'careful', /scripted model/],
    ['model', { OPENAI_API_KEY: 'sk-secret' }, 'ok', /^OPENAI_API_KEY $/],
    ['docker', {}, 'ok', /not needed/],
  ]
  for (const [check, env, state, text] of cases) {
    const found = await look(check, env)
    assert.equal(found.state, state, `${check} ${JSON.stringify(env)}: ${JSON.stringify(found)}`)
    assert.match(`${found.seen} ${found.fix ?? ''}`, text)
    assert.equal(found.state === 'ok', found.fix === undefined)
  }
  assert.equal(nodeFinding('18.19.0').state, 'missing')
  assert.equal(nodeFinding('20.11.1').state, 'ok')
})

test('the doctor sees a port that is taken', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.after(() => server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  assert.equal((await look('port', { PORT: String(address.port) })).state, 'careful')
})

test('the doctor tells a daemon that is absent, dead, of another or without permission apart', async (t) => {
  const directory = tempDirectory(t)
  const dead = join(directory, 'dead.sock')
  // A socket of a process that is gone.
  spawnSync(process.execPath, [
    '-e',
    `require('net').createServer().listen(${JSON.stringify(dead)}, () => process.kill(process.pid, 'SIGKILL'))`,
  ])
  const told = async (DOCKER_HOST: string) => {
    const { state, seen, fix } = await look('docker', { EXECUTOR: 'docker', DOCKER_HOST })
    assert.equal(state, 'missing')
    return `${seen} → ${fix}`
  }
  assert.match(await told(`unix://${directory}/none`), /none is not there → install and start Docker/)
  assert.match(await told(`unix://${dead}`), /nothing listens on .* → start the Docker daemon/)
  assert.match(await told('ssh://host'), /expected "unix/)
  assert.match(
    await told(await serveDaemon(t, { '/version': undefined })),
    /does not answer as one: \/version is answered with 404/,
  )
  const nowhere = { EXECUTOR: 'docker', DOCKER_HOST: `unix://${directory}/none` }
  for (const check of ['limits', 'image'])
    assert.match((await look(check, nowhere)).seen, /not looked at: the daemon cannot be asked/)
  const denied = unreachable({ code: 'EACCES', address: '/var/run/docker.sock' })
  assert.match(
    `${denied.seen} → ${denied.fix}`,
    /no permission for .* → put the user into the group .*usermod -aG "\$\(stat -c %G \/var\/run\/docker\.sock\)"/,
  )
  assert.match(unreachable({ code: 'ETIMEDOUT' }).seen, /does not answer within 5 s/)
})

test('the doctor asks the daemon what it enforces, and whether the image is the one', async (t) => {
  const info = {
    MemoryLimit: true,
    PidsLimit: true,
    CpuCfsQuota: true,
    CgroupVersion: '1',
    SecurityOptions: ['name=seccomp,profile=default'],
    Runtimes: { runc: {} },
  }
  const version = { Version: '20.10.24', ApiVersion: '1.41', Os: 'linux' }
  const labelled = (label: string) => ({
    Id: 'sha256:1',
    Config: { Labels: { 'org.opencontainers.image.version': label } },
  })
  const cases: readonly (readonly [string, object, Readonly<Record<string, string>>, string, RegExp])[] = [
    ['docker', { '/version': version }, {}, 'ok', /20\.10\.24 \(API 1\.41\)/],
    ['docker', { '/version': { ...version, ApiVersion: '1.38' } }, {}, 'careful', /update it/],
    ['docker', { '/version': { ...version, Os: 'windows' } }, {}, 'missing', /Linux containers/],
    ['limits', { '/info': info }, {}, 'ok', /cgroup v1/],
    [
      'limits',
      { '/info': { ...info, MemoryLimit: false, PidsLimit: false } },
      {},
      'missing',
      /memory and processes are not/,
    ],
    ['limits', { '/info': info }, { DOCKER_RUNTIME: 'runsc' }, 'missing', /no runtime "runsc"/],
    ['limits', { '/info': { ...info, SecurityOptions: [] } }, {}, 'careful', /seccomp/],
    ['image', {}, { OPENCODE_IMAGE: 'none:1' }, 'missing', /docker pull none:1/],
    [
      'image',
      { '/images/old:1/json': labelled('1.0.0') },
      { OPENCODE_IMAGE: 'old:1' },
      'missing',
      /is OpenCode 1\.0\.0, not/,
    ],
    [
      'image',
      { '/images/own:1/json': { Id: 'sha256:1', Config: {} } },
      { OPENCODE_IMAGE: 'own:1' },
      'careful',
      /set OPENCODE_IMAGE=sha256:1/,
    ],
  ]
  for (const [check, answers, env, state, text] of cases) {
    const found = await look(check, { ...env, EXECUTOR: 'docker', DOCKER_HOST: await serveDaemon(t, answers) })
    assert.equal(found.state, state, `${check}: ${JSON.stringify(found)}`)
    assert.match(`${found.seen} ${found.fix ?? ''}`, text)
  }
})

test('the doctor tells what is wrong in docker/.env, all of it at once', async () => {
  const example = readFileSync(new URL('../../docker/.env.example', import.meta.url), 'utf8')
  const mine = { uid: 1000, gid: 1000 }
  const socket = { uid: 0, gid: 997 }
  const look = async (path: string) => (path.endsWith('docker.sock') ? socket : mine)
  const given = example.replace(/^(API_KEY|OPENCODE_SERVER_PASSWORD|OPENCODE_IMAGE)=$/gm, '$1=x')
  assert.equal((await deploymentFinding(given, look)).state, 'ok')
  const swapped = given.replace('EXECUTOR=server', 'EXECUTOR=docker')
  const { seen, fix } = await deploymentFinding(swapped, look)
  assert.equal(
    `${seen} → ${fix}`,
    'DOCKER_GID is "999", "/var/run/docker.sock" is of 997 → set DOCKER_GID=997 (docker/.env)',
  )
  const bare = await deploymentFinding(example, async () => undefined)
  assert.equal(bare.seen.split('; ').length, 4)
  assert.match(
    `${bare.seen} → ${bare.fix}`,
    /API_KEY is empty.*workspaces" is not there → set API_KEY.*install -d -o 1000/,
  )
  assert.match((await deploymentFinding(given, async () => socket)).seen, /is of uid 0/)
  const proxied = given.replace('{EXECUTOR}', '{EXECUTOR},proxy-nginx')
  assert.equal((await deploymentFinding(proxied, look)).state, 'ok')
  const noKey = await deploymentFinding(proxied, async (path) => (path.endsWith('/privkey.pem') ? undefined : mine))
  assert.match(noKey.seen, /^there is no privkey\.pem in ".+\/docker\/tls"$/)
})

test('the doctor tells what the gateway would say of docker/.env, names that compose hands to nobody too', async () => {
  const example = readFileSync(new URL('../../docker/.env.example', import.meta.url), 'utf8')
  const given = example.replace(/^(API_KEY|OPENCODE_SERVER_PASSWORD)=$/gm, '$1=0123456789abcdef')
  const quoted = `${given}\nPERMISSIONS='{"*":"allow"}' # all\nAPI_KEYS_FILE=/mounted/keys.json\n`
  const wrong = `${given}\nDOCKER_EGRES=a.example\nDOCKER_EGRESS=http://a.example\nOPENCODE_IMAGE=engine:1\n`
  const [right, { state, seen, fix }] = await Promise.all([
    deployedFinding(quoted),
    deployedFinding(wrong.replace('EXECUTOR=server', 'EXECUTOR=docker')),
  ])
  assert.deepEqual(right, { state: 'ok', seen: 'the gateway takes the settings in docker/.env' })
  assert.equal(state, 'careful')
  assert.match(
    seen,
    /DOCKER_EGRESS is "http:\/\/a\.example"; OPENCODE_IMAGE is "engine:1"; DOCKER_EGRES is not a setting/,
  )
  assert.match(
    fix ?? '',
    /^DOCKER_EGRESS: expected hosts .*; OPENCODE_IMAGE: expected an image that is pinned.* \(docker\/\.env\)$/,
  )
})

test('on a bare machine the doctor says everything at once, and on one without Node at least that', (t) => {
  const bare = tempDirectory(t)
  const run = (PATH: string, env = {}) =>
    spawnSync('/bin/sh', [script], {
      encoding: 'utf8',
      env: { PATH, HOME: bare, EXECUTOR: 'docker', DOCKER_HOST: 'unix:///nowhere', ...env },
    })
  const without = run(bare)
  assert.equal(without.status, 1)
  assert.match(without.stdout, /^missing node: there is no node program\n +→ install Node 20/)
  symlinkSync(process.execPath, join(bare, 'node'))
  const { status, stdout, stderr } = run(bare, { EXECUTOR: 'server' })
  assert.equal(stderr, '')
  assert.equal(status, 1)
  for (const name of ['npm', 'git', 'rg'])
    assert.match(stdout, new RegExp(`^missing \\w+: there is no ${name} program\n +→ install`, 'm'))
  const lines = stdout.trimEnd().split('\n')
  const asked = lines.filter((line) => /^(ok|careful|missing) /.test(line))
  assert.equal(asked.length, Object.keys(checks).length)
  assert.equal(lines.filter((line) => line.includes('→')).length, asked.filter((line) => !line.startsWith('ok')).length)
  assert.match(run(bare).stdout, /^missing docker: \/nowhere is not there$/m)
  const helpless = spawnSync('/bin/sh', [script, '--help'], { encoding: 'utf8', env: { PATH: bare } })
  assert.deepEqual(
    [helpless.status, helpless.stderr],
    [64, "doctor: Unknown option '--help'; usage: doctor [--json]\n"],
  )
})

function tempDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'doctor-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** A daemon that knows these answers, and 404 for all else. */
async function serveDaemon(t: TestContext, answers: object): Promise<string> {
  const listener: RequestListener = (request, response) => {
    const answer: unknown = Object.entries(answers).find(([path]) => path === request.url)?.[1]
    response.writeHead(answer === undefined ? 404 : 200).end(JSON.stringify(answer ?? { message: 'no' }))
  }
  const server = createHttpServer(listener).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.after(() => server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return `tcp://127.0.0.1:${address.port}`
}
