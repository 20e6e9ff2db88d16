import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGate } from '../src/app.ts'
import { readConfig } from '../src/config.ts'

test('a daemon that cannot be reached is a 502 in the form of the daemon', async (t) => {
  const config = readConfig({
    OPENCODE_IMAGE: 'opencode-engine:1',
    WORKSPACE_ROOT: '/srv/workspaces',
    DOCKER_HOST: 'unix:///nonexistent/docker.sock',
  })
  const app = createGate({ config })
  t.after(() => app.close())
  for (const [method, url] of [
    ['GET', '/_ping'],
    ['GET', '/containers/json?all=1'],
    ['DELETE', '/containers/abc?force=1'],
  ] as const) {
    const answer = await app.inject({ method, url })
    assert.equal(answer.statusCode, 502)
    const { message, ...more } = answer.json()
    assert.match(message, /^the Docker daemon cannot be reached: there is no such socket; is Docker running/)
    assert.deepEqual(more, {})
    assert.doesNotMatch(message, /nonexistent/)
  }
})
