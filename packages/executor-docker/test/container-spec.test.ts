import assert from 'node:assert/strict'
import { test } from 'node:test'
import { containerName, containerSpec } from '../src/container/container-spec.ts'
import type { ContainerSpecOptions } from '../src/container/container-spec.ts'

const options: ContainerSpecOptions = {
  image: 'sha256:abc',
  user: { uid: 1000, gid: 1001 },
  network: 'none',
  runtime: undefined,
  limits: { memoryBytes: 2 ** 30, cpus: 0.5, pids: 100, tmpBytes: 2 ** 20, openFiles: 1024, logBytes: 4096 },
  owner: '0123456789abcdef',
  sessionId: 'session-1',
  epoch: 7,
  directories: { workspace: '/w', home: '/h', shell: '/s', sockets: '/k', models: '/m' },
  environment: { SECRET: 'a=b' },
}

test('whatever an agent does not need is taken away', () => {
  const { User, HostConfig } = containerSpec(options)
  assert.equal(User, '1000:1001')
  assert.equal(HostConfig.NetworkMode, 'none')
  assert.deepEqual(HostConfig.CapDrop, ['ALL'])
  assert.deepEqual(HostConfig.SecurityOpt, ['no-new-privileges:true'])
  assert.equal(HostConfig.ReadonlyRootfs, true)
  assert.equal(HostConfig.Privileged, false)
  assert.equal(HostConfig.Init, true)
  assert.equal(HostConfig.IpcMode, 'private')
  assert.deepEqual(HostConfig.RestartPolicy, { Name: 'no' })
})

test('every resource has a limit', () => {
  const { HostConfig } = containerSpec(options)
  assert.equal(HostConfig.Memory, 2 ** 30)
  assert.equal(HostConfig.MemorySwap, HostConfig.Memory, 'there is no swap')
  assert.equal(HostConfig.NanoCpus, 500_000_000)
  assert.equal(HostConfig.PidsLimit, 100)
  assert.match(HostConfig.Tmpfs['/tmp'], /size=1048576/)
  assert.deepEqual(HostConfig.Ulimits[0], { Name: 'nofile', Soft: 1024, Hard: 1024 })
  assert.deepEqual(HostConfig.LogConfig.Config, { 'max-size': '4096', 'max-file': '1' })
})

test('the session reaches its own directories alone, and its way to the models cannot be replaced by it', () => {
  const { Mounts } = containerSpec(options).HostConfig
  assert.deepEqual(
    Mounts.map(({ Type, Source, Target, ReadOnly }) => [Type, Source, Target, ReadOnly]),
    [
      ['bind', '/w', '/workspace', false],
      ['bind', '/h', '/home/node', false],
      ['bind', '/s', '/run/shell', false],
      ['bind', '/k', '/run/engine', false],
      ['bind', '/m', '/run/models', true],
    ],
  )
})

test('a container says whose it is, and there can be one of a session', () => {
  const { Labels, Env } = containerSpec(options)
  assert.deepEqual(Labels, {
    'opencode-gateway.owner': '0123456789abcdef',
    'opencode-gateway.session': 'session-1',
    'opencode-gateway.epoch': '7',
  })
  assert.deepEqual(Env, ['SECRET=a=b'])
  assert.equal(containerName(options.owner, options.sessionId), 'opencode-gateway-0123456789ab-session-1')
})

test('another runtime is named only where it is asked for', () => {
  assert.equal('Runtime' in containerSpec(options).HostConfig, false)
  assert.equal(containerSpec({ ...options, runtime: 'runsc' }).HostConfig.Runtime, 'runsc')
})
