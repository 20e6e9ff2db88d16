import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { taskEnvironment } from '../toolchain/environment.mjs'
import { explain, npmCommand } from '../toolchain/npm.mjs'
import { tempDir } from './temp-dir.mjs'

test('a task finds the tools first and nothing of the npm that started the launcher', () => {
  const env = {
    PATH: '/usr/bin',
    HOME: '/home/me',
    npm_config_registry: 'x',
    npm_package_name: 'y',
    NODE: '/old',
    INIT_CWD: '/',
  }
  const { PATH, HOME, npm_config_registry: registry, NODE, INIT_CWD } = taskEnvironment(env, { binDir: '/tools' })
  assert.deepEqual([PATH, HOME], ['/tools:/usr/bin', '/home/me'])
  assert.deepEqual([registry, NODE, INIT_CWD], [undefined, undefined, undefined])
})

test('the npm that started the launcher fetches the tools, else the one on the PATH', (t) => {
  const dir = tempDir(t, { 'npm-cli.js': '', 'pnpm.cjs': '' })
  assert.deepEqual(npmCommand({ npm_execpath: `${dir}/npm-cli.js` }), [process.execPath, `${dir}/npm-cli.js`])
  for (const path of [undefined, `${dir}/pnpm.cjs`, `${dir}/gone/npm-cli.js`]) {
    assert.deepEqual(npmCommand(path === undefined ? {} : { npm_execpath: path }), ['npm'])
  }
})

test('a missing network is told from other failures of npm', () => {
  assert.match(explain('npm error code EAI_AGAIN\nnpm error syscall getaddrinfo'), /cannot be reached \(EAI_AGAIN\)/)
  assert.match(explain('npm error code E404'), /could not fetch the tools/)
})

test('the scripts of the project run what they are named after', () => {
  for (const name of ['healthcheck', 'opencode', 'smoke', 'soak']) {
    const script = fileURLToPath(new URL(`../${name}`, import.meta.url))
    const { status, stderr } = spawnSync(script, ['--no-such-argument'], { encoding: 'utf8' })
    assert.equal(status, 64, `${name}: ${stderr}`)
    assert.match(stderr, new RegExp(`usage: ${name} `))
  }
})
