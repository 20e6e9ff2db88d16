import assert from 'node:assert/strict'
import { test } from 'node:test'
import { containerResources } from '../src/orders/container-resources.ts'
import { startGateway } from './gateway.ts'

const most = {
  memoryBytes: 1024 ** 3,
  cpus: 1,
  pids: 256,
  diskBytes: 10 * 1024 ** 3,
  egress: ['a.test', '*.b.test:8443', '[2606:4700::1111]'],
}

test('what a request says of its container is read, and less than everybody has', () => {
  assert.equal(containerResources(undefined, most), undefined)
  assert.deepEqual(containerResources({ memory: '768m' }, most), { memoryBytes: 768 * 1024 ** 2 })
  const all = { memory: 1024 ** 3, cpus: 1, pids: 256, disk: '10g', egress: [...most.egress] }
  assert.deepEqual(containerResources(all, most), most)
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

test('a session has some of the hosts that everybody has, and no others', () => {
  for (const egress of [
    [],
    ['a.test'],
    ['A.test:443', 'x.b.test:8443'],
    ['*.x.b.test:8443'],
    ['[2606:4700:0::1111]:80'],
  ])
    assert.deepEqual(containerResources({ egress }, most), { egress })
  for (const host of [
    'c.test',
    '*',
    '*.a.test',
    'a.test:8443',
    'x.a.test',
    'b.test:8443',
    '*.b.test',
    'x.b.test',
    '*.test',
  ])
    assert.throws(() => containerResources({ egress: ['a.test', host] }, most), {
      code: 'RESOURCES_TOO_HIGH',
      details: { field: 'resources.egress.1', reason: 'must be one of the hosts that are allowed (DOCKER_EGRESS)' },
    })
  assert.throws(() => containerResources({ egress: ['a.test'] }, { ...most, egress: ['a.test:443'] }), {
    code: 'RESOURCES_TOO_HIGH',
    message: /DOCKER_EGRESS\); without a port it means 80 and 443, and one of them is not\./,
  })
  for (const host of ['https://a.test', '0x7f.1', 'a.test:0'])
    assert.throws(() => containerResources({ egress: [host] }, most), { code: 'INVALID_REQUEST' }, host)
})

test('an executor without containers refuses it, and a request that says nothing of it is none', async (t) => {
  const gateway = await startGateway(t)
  const ask = async (resources: object) => (await gateway.call('POST', '/run', { prompt: 'say: hi', resources })).json()
  assert.equal((await ask({ pids: 100 })).code, 'UNSUPPORTED_OPTION')
  for (const bad of [{}, { disk: '1 TB' }, { disc: '1g' }, { memory: '1 GB' }, { cpus: 0 }, { egress: ['a,b'] }]) {
    assert.equal((await ask(bad)).code, 'INVALID_REQUEST', JSON.stringify(bad))
  }
  const { detail } = await ask({ disk: '1 TB', memory: '1 GB' })
  for (const [field, example] of [
    ['disk', '500m'],
    ['memory', '768m'],
  ])
    assert.ok(
      String(detail).includes(`resources.${field} must be integer or must be like "${example}"`),
      String(detail),
    )
})
