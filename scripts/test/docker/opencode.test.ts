import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freePort } from './compose.ts'
import { docker, engineImage, missing } from './docker.ts'

const script = [process.execPath, fileURLToPath(new URL('../../stack/opencode.ts', import.meta.url))]
const healthcheck = [fileURLToPath(new URL('../../healthcheck', import.meta.url))]
const OPTIONS = { timeout: 240_000, skip: await missing(engineImage) }

test('A1: up starts the pinned engine, down ends it', OPTIONS, async (t) => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'opencode-up-')))
  chownSync(directory, 1000, 1000)
  const port = await freePort()
  const name = `opencode-engine-${port}`
  t.after(async () => {
    await docker('rm', '--force', name)
    await docker('volume', 'rm', '--force', `${name}-home`)
    rmSync(directory, { recursive: true, force: true })
  })
  const { stdout: id } = await docker('image', 'inspect', '--format', '{{.Id}}', engineImage)
  const secret = 'a-password-that-is-in-no-list-of-processes'
  const env = {
    OPENCODE_IMAGE: id.trim(),
    OPENCODE_PORT: String(port),
    WORKSPACE_ROOT: directory,
    OPENCODE_SERVER_PASSWORD: secret,
    OPENCODE_CONTAINER: name,
  }
  const up = await run(script, ['up'], env)
  assert.equal(up.code, 0, up.output)
  assert.match(up.output, new RegExp(`the engine answers at http://127\\.0\\.0\\.1:${port}`))
  assert.doesNotMatch(up.output, new RegExp(secret))
  assert.equal((await run(healthcheck, ['--baseUrl', `http://127.0.0.1:${port}`], env)).code, 0)
  assert.equal((await run(healthcheck, ['--baseUrl', `http://127.0.0.1:${port}`], {})).code, 1, 'without its password')
  await docker('exec', name, 'sh', '-c', `echo made > ${directory}/made`)
  assert.equal(readFileSync(join(directory, 'made'), 'utf8'), 'made\n')
  assert.match((await run(script, ['logs', '--tail', '5'], env)).output, /listening on/)
  assert.equal((await run(script, ['down'], env)).code, 0)
  assert.equal((await docker('inspect', name)).code, 1)
  assert.equal((await run(healthcheck, ['--baseUrl', `http://127.0.0.1:${port}`, '--timeout', '500'], env)).code, 1)
})

test('A1: an image that is not pinned is refused outside of development, with all else that is wrong', async () => {
  const wrong = { OPENCODE_IMAGE: engineImage, OPENCODE_PORT: '99999', WORKSPACE_ROOT: 'relative' }
  const { code, output } = await run(script, ['up'], wrong)
  assert.equal(code, 78)
  const told = output.trim().split('\n')
  assert.deepEqual(
    told.map((line) => /^opencode: (\w+)/.exec(line)?.[1]),
    ['OPENCODE_IMAGE', 'OPENCODE_PORT', 'WORKSPACE_ROOT', 'OPENCODE_SERVER_PASSWORD'],
  )
  const { output: developing } = await run(script, ['up'], { ...wrong, NODE_ENV: 'development' })
  assert.doesNotMatch(developing, /OPENCODE_IMAGE/)
  assert.equal((await run(script, [], {})).code, 64)
})

async function run(
  [program = '', ...first]: readonly string[],
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
): Promise<{ code: number; output: string }> {
  const { PATH, HOME, DOCKER_HOST } = process.env
  const child = spawn(program, [...first, ...args], {
    env: { PATH, HOME, ...(DOCKER_HOST === undefined ? {} : { DOCKER_HOST }), ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: Number(code), output: out + err }
}
