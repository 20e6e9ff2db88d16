import assert from 'node:assert/strict'
import { test } from 'node:test'
import { containerUser } from '../src/container/container-user.ts'

const root = { uid: 0, gid: 0 }
const somebody = { uid: 501, gid: 20 }

test('containers run as somebody, also when the gateway runs as root', () => {
  assert.deepEqual(containerUser(undefined, root), { uid: 1000, gid: 1000 })
  assert.deepEqual(containerUser(undefined, somebody), somebody)
  assert.deepEqual(containerUser({ uid: 7, gid: 8 }, root), { uid: 7, gid: 8 })
})

test('root is refused, and so is a user whose files the gateway could not share', () => {
  assert.throws(() => containerUser(root, root), { code: 'EXECUTOR_UNAVAILABLE', retryable: false })
  assert.throws(() => containerUser({ uid: 7, gid: 0 }, root), /must not be root/)
  assert.throws(() => containerUser({ uid: 7, gid: 8 }, somebody), /only root can share files/)
})
