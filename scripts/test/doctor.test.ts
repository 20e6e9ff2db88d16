import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { checks } from '../stack/doctor-checks.ts'

const look = (check: string, env: Readonly<Record<string, string>>) => {
  const found = checks[check]
  assert.ok(found, check)
  return found(env)
}

test('the doctor finds what is missing and says how to put it right', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'doctor-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const docker = { EXECUTOR: 'docker' }
  const nowhere = join(directory, 'nowhere')
  const checkout = new URL('..', import.meta.url).pathname
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, string, RegExp])[] = [
    ['node', {}, 'ok', /^24\./],
    ['git', {}, 'ok', /git version/],
    ['workspaces', { WORKSPACE_ROOT: directory }, 'ok', /doctor-/],
    ['workspaces', { WORKSPACE_ROOT: nowhere }, 'missing', /install -d -o 1000/],
    ['workspaces', { WORKSPACE_ROOT: 'here' }, 'missing', /absolute/],
    ['workspaces', { WORKSPACE_ROOT: checkout }, 'missing', /project/],
    ['key', {}, 'careful', /only clients of this machine/],
    ['key', { API_KEY: 'x' }, 'ok', /clients need one/],
    ['docker', {}, 'ok', /not needed/],
    ['image', docker, 'missing', /engine-image\.sh/],
    ['image', { ...docker, OPENCODE_IMAGE: 'no-such-image:1' }, 'missing', /docker pull no-such-image:1/],
  ]
  for (const [check, env, state, text] of cases) {
    const found = await look(check, env)
    assert.equal(found.state, state, `${check} ${JSON.stringify(env)}: ${JSON.stringify(found)}`)
    assert.match(`${found.seen} ${found.fix ?? ''}`, text)
    assert.equal(found.state === 'ok', found.fix === undefined)
  }
})

test('the doctor sees a port that is taken', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.after(() => server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  assert.equal((await look('port', { PORT: String(address.port) })).state, 'careful')
})
