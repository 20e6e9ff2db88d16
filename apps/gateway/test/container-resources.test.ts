import assert from 'node:assert/strict'
import { test } from 'node:test'
import { containerResources } from '../src/orders/container-resources.ts'
import { startGateway } from './gateway.ts'

const most = { memoryBytes: 1024 ** 3, cpus: 1, pids: 256, diskBytes: 10 * 1024 ** 3 }

test('what a request says of its container is read, and less than everybody has', () => {
  assert.equal(containerResources(undefined, most), undefined)
  assert.deepEqual(containerResources({ memory: '768m' }, most), { memoryBytes: 768 * 1024 ** 2 })
  assert.deepEqual(containerResources({ memory: 1024 ** 3, cpus: 1, pids: 256, disk: '10g' }, most), most)
})

test('what is too much is refused, all of it at once, and so is too little memory', () => {
  assert.throws(() => containerResources({ memory: '2g', cpus: 0.5, pids: 300, disk: '11g' }, most), {
    code: 'RESOURCES_TOO_HIGH',
    details: [
      { field: 'resources.memory', reason: 'must be at most 1073741824 (DOCKER_MEMORY)' },
      { field: 'resources.pids', reason: 'must be at most 256 (DOCKER_PIDS_LIMIT)' },
      { field: 'resources.disk', reason: 'must be at most 10737418240 (WORKSPACE_MAX_BYTES)' },
    ],
  })
  assert.throws(() => containerResources({ memory: '100m' }, most), {
    code: 'INVALID_REQUEST',
    details: { field: 'resources.memory', reason: 'must be at least 512m' },
  })
})

test('an executor without containers refuses it, and a request that says nothing of it is none', async (t) => {
  const gateway = await startGateway(t)
  const ask = async (resources: object) => (await gateway.call('POST', '/run', { prompt: 'say: hi', resources })).json()
  assert.equal((await ask({ pids: 100 })).code, 'UNSUPPORTED_OPTION')
  for (const bad of [{}, { disk: '1 TB' }, { disc: '1g' }, { memory: '1 GB' }, { cpus: 0 }]) {
    assert.equal((await ask(bad)).code, 'INVALID_REQUEST', JSON.stringify(bad))
  }
})
