import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAddressPublic, isLocalName, isNeverMeant, readHost } from '../src/index.ts'

test('a host has one spelling, and what another reader could take for another one is refused', () => {
  const read = (text: string) => {
    const found = readHost(text)
    return found.status === 'host' ? found.host : found.why
  }
  assert.equal(read('Registry.Example.ORG'), 'registry.example.org')
  assert.equal(read('[2606:4700::1111]'), '2606:4700::1111')
  assert.equal(read('1.2.3.4'), '1.2.3.4')
  for (const text of [
    '',
    '.',
    'a..b',
    '-a.b',
    'a b',
    '[::1',
    '[1.2.3.4]',
    '[fe80::1%eth0]',
    '::1',
    `${'a'.repeat(64)}.b`,
  ])
    assert.equal(read(text), 'not a host', text)
  for (const text of ['2130706433', '0x7f000001', '127.1', '0177.0.0.1', '1.2.3.4.5', '256.1.1.1', 'a.0x1'])
    assert.equal(read(text), 'not in decimal', text)
  for (const text of ['bücher.example', 'ⓔxample.org', '１２７.0.0.1']) assert.equal(read(text), 'not in ASCII', text)
})

test('an address is public, private, or of no use to an agent at all', () => {
  const kind = (address: string) => (isAddressPublic(address) ? 'public' : isNeverMeant(address) ? 'never' : 'private')
  for (const address of ['8.8.8.8', '2606:4700::1111']) assert.equal(kind(address), 'public', address)
  const own = ['127.0.0.1', '127.9.9.9', '10.0.0.1', '172.16.0.1', '192.168.1.1', '100.64.0.1', '::1', 'fd12::1']
  for (const address of own) assert.equal(kind(address), 'private', address)
  const never = ['0.0.0.0', '169.254.169.254', '100.100.100.200', '168.63.129.16', '224.0.0.1', '255.255.255.255']
  const never6 = ['::', 'fe80::1', 'ff02::1', 'fd00:ec2::254', '::ffff:127.0.0.1', '::ffff:a00:1', '64:ff9b::7f00:1']
  for (const address of never) assert.notEqual(kind(address), 'private', address)
  for (const address of [...never, ...never6]) assert.ok(isNeverMeant(address), address)
})

test('some names mean something in a private network alone', () => {
  for (const name of ['localhost', 'gateway', 'a.local', 'metadata.google.internal', '1.0.0.127.in-addr.arpa'])
    assert.ok(isLocalName(name), name)
  for (const name of ['example.org', '1.2.3.4', '::1']) assert.ok(!isLocalName(name), name)
})
