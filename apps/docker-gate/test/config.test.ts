import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig } from '../src/config.ts'

const least = { OPENCODE_IMAGE: 'opencode-engine:1', WORKSPACE_ROOT: '/srv/workspaces' }

test('the gate needs to know the image and the workspaces, and no more', () => {
  const config = readConfig(least)
  assert.deepEqual(config.daemon, { socketPath: '/var/run/docker.sock' })
  assert.deepEqual(config.networks, [])
  assert.equal(config.user, '1000:1000')
  assert.equal(config.connections, 400)
  assert.equal(readConfig({ ...least, DOCKER_USER: '501' }).user, '501:501')
  assert.match(config.mark, /^[0-9a-f]{16}$/)
  assert.equal(readConfig(least).mark, config.mark)
  assert.notEqual(readConfig({ ...least, WORKSPACE_ROOT: '/srv/others' }).mark, config.mark)
})

test('every problem of its settings is told at once', () => {
  const wrong = {
    WORKSPACE_ROOT: '/srv/..',
    DOCKER_HOST: '/var/run/docker.sock',
    LISTEN: 'tcp://0.0.0.0',
    DOCKER_NETWORK: 'none,host,container:x',
    GATE_MAX_CPUS: 'many',
    GATE_MAX_PIDS: '1',
    DOCKER_USER: '0',
    GATE_MAX_CONNECTIONS: '200',
  }
  assert.throws(
    () => readConfig(wrong),
    (error: Error) => {
      const named = error.message.split('\n').map((line) => line.split(' ')[0])
      const expected = [
        'WORKSPACE_ROOT',
        'DOCKER_NETWORK',
        'DOCKER_NETWORK',
        'DOCKER_USER',
        'DOCKER_HOST',
        'LISTEN',
        'OPENCODE_IMAGE',
      ]
      assert.deepEqual(named, [...expected, 'GATE_MAX_CPUS', 'GATE_MAX_PIDS', 'GATE_MAX_CONNECTIONS'])
      return true
    },
  )
})
