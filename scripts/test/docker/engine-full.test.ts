import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { docker, engineVersion, fullEngineImage, missing, startContainer } from './docker.ts'

const PASSWORD = 'a-password-of-the-test'
const OPTIONS = { timeout: 180_000, skip: await missing(fullEngineImage) }

test('C1: the full engine image has what it is to have', OPTIONS, async () => {
  const look = [
    'opencode --version',
    'for tool in git curl redis-cli rclone cron python3 pip ddtrace-run; do command -v $tool >/dev/null || echo "no $tool"; done',
    'python3 -c "import graphiti_core, falkordb, redis, ddtrace, datadog_api_client, b2sdk; import sys; print(sys.prefix)"',
    'ls -d /app/scripts /root/.config/opencode/opencode.json',
    'echo $FALKORDB_HOST $FALKORDB_PORT $VALKEY_HOST $VALKEY_PORT',
  ].join('\n')
  const { stdout, stderr } = await docker(
    'run',
    '--rm',
    '--network=none',
    '--entrypoint=bash',
    fullEngineImage,
    '-c',
    look,
  )
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
  assert.doesNotMatch(JSON.stringify(found.Config.Env), /PASSWORD|API_KEY|TOKEN|SECRET/)
})

test('C1: the full engine serves with its password alone, and its health is that of /config', OPTIONS, async (t) => {
  assert.equal((await docker('run', '--rm', '--network=none', fullEngineImage)).code, 64)
  const id = await startContainer(
    t,
    '--init',
    '--network=none',
    '--env',
    `OPENCODE_SERVER_PASSWORD=${PASSWORD}`,
    fullEngineImage,
  )
  while ((await docker('exec', id, '/usr/local/bin/full/health')).code !== 0) {
    assert.equal((await docker('inspect', '--format', '{{.State.Status}}', id)).stdout.trim(), 'running')
    await sleep(200, undefined, { signal: t.signal })
  }
  const wrong = await docker('exec', '--env', 'OPENCODE_SERVER_PASSWORD=another', id, '/usr/local/bin/full/health')
  assert.notEqual(wrong.code, 0)
})
