import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { docker, engineVersion, fullEngineImage, missing, startContainer } from './docker.ts'

const execute = promisify(execFile)
const buildScript = fileURLToPath(new URL('../../docker/engine-image.sh', import.meta.url))
const PASSWORD = 'a-password-of-the-test'
const OPTIONS = { timeout: 180_000, skip: await missing(fullEngineImage) }

const python = 'graphiti_core falkordb redis ddtrace datadog_api_client b2sdk'.split(' ')
const run = (image: string, script: string) =>
  docker('run', '--rm', '--network=none', '--entrypoint=bash', image, '-c', script)
/** Why the image has no Python packages, or nothing. */
const withoutPython = OPTIONS.skip
  ? ''
  : (await run(fullEngineImage, 'cat /opt/venv/MISSING 2>/dev/null || true')).stdout.trim()

test('C1: the full engine image has what it is to have', OPTIONS, async () => {
  const look = [
    'opencode --version',
    'for tool in git curl redis-cli rclone cron python3 pip; do command -v $tool >/dev/null || echo "no $tool"; done',
    'python3 -c "import sys; print(sys.prefix)"',
    'ls -d /app/scripts /root/.config/opencode/opencode.json',
    'echo $FALKORDB_HOST $FALKORDB_PORT $VALKEY_HOST $VALKEY_PORT',
  ].join('\n')
  const { stdout, stderr } = await run(fullEngineImage, look)
  const expected = [
    engineVersion,
    '/opt/venv',
    '/app/scripts',
    '/root/.config/opencode/opencode.json',
    'localhost 6379 localhost 6379',
  ]
  assert.deepEqual(stdout.trim().split('\n'), expected, stderr)
  const [found] = JSON.parse((await docker('image', 'inspect', fullEngineImage)).stdout)
  const seconds = (count: number) => count * 1e9
  const { Interval, Timeout, StartPeriod } = found.Config.Healthcheck
  assert.deepEqual([Interval, Timeout, StartPeriod], [seconds(30), seconds(10), seconds(40)])
  assert.equal(Object.keys(found.Config.ExposedPorts).join(), '4096/tcp')
  const history = await docker('history', '--no-trunc', '--format', '{{.CreatedBy}}', fullEngineImage)
  for (const told of [JSON.stringify(found.Config.Env), history.stdout])
    assert.doesNotMatch(told, /\w*(?:PASSWORD|API_KEY|TOKEN|SECRET)\w*=/)
})

test('C1: its Python packages are there, or it says why not', OPTIONS, async (t) => {
  const imported = await run(fullEngineImage, `python3 -c "import ${python.join(', ')}" && command -v ddtrace-run`)
  t.diagnostic(withoutPython === '' ? `Python packages: ${python.join(', ')}` : `NO Python packages: ${withoutPython}`)
  if (withoutPython === '') assert.equal(imported.stdout.trim(), '/opt/venv/bin/ddtrace-run', imported.stderr)
  else assert.match(imported.stderr, /No module named/)
})

test(
  'C1: without the registry of Python it is made up to there when that was asked for, and says so',
  OPTIONS,
  async (t) => {
    const image = `${fullEngineImage}-unreachable`
    t.after(() => docker('image', 'rm', '--force', image))
    const unreachable = { PIP_INDEX_URL: 'http://127.0.0.1:9/simple', PYTHON_PACKAGES: 'if-reachable' }
    const env = { ...process.env, ...unreachable }
    await execute(buildScript, ['full', image], { env, signal: t.signal })
    const { stdout } = await run(image, 'opencode --version; cat /opt/venv/MISSING; ls /app')
    assert.match(stdout, new RegExp(`^${engineVersion}\\nthe registry of Python could not be reached .*\\nscripts\\n$`))
  },
)

test('C1: the full engine serves with its password alone, and its health is that of /config', OPTIONS, async (t) => {
  assert.equal((await docker('run', '--rm', '--network=none', fullEngineImage)).code, 64)
  // Of the packages that may be absent it needs this one alone.
  const directory = mkdtempSync(join(tmpdir(), 'engine-full-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const program = join(directory, 'ddtrace-run')
  writeFileSync(program, '#!/bin/sh\nexec "$@"\n')
  chmodSync(program, 0o755)
  const tracer = withoutPython === '' ? [] : ['--volume', `${program}:/usr/local/bin/ddtrace-run:ro`]
  const id = await startContainer(
    t,
    '--init',
    '--network=none',
    '--env',
    `OPENCODE_SERVER_PASSWORD=${PASSWORD}`,
    ...tracer,
    fullEngineImage,
  )
  while ((await docker('exec', id, '/usr/local/bin/full/health')).code !== 0) {
    assert.equal((await docker('inspect', '--format', '{{.State.Status}}', id)).stdout.trim(), 'running')
    await sleep(200, undefined, { signal: t.signal })
  }
  const wrong = await docker('exec', '--env', 'OPENCODE_SERVER_PASSWORD=another', id, '/usr/local/bin/full/health')
  assert.notEqual(wrong.code, 0)
})
