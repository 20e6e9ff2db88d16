import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { httpServer, raw, scene, tcpServer } from './scene.ts'

const get = (url: string) => `GET ${url} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`
const connect = (authority: string) => `CONNECT ${authority} HTTP/1.1\r\nhost: x\r\n\r\n`

test('only what is on the list is looked up and reached, however it is written', async (t) => {
  const port = await httpServer(t, (_request, response) => void response.end('reached'))
  const { socketPath, looked, untilPassed } = await scene(t, { privateHosts: `a.test:${port},*.b.test:${port},c.test` })
  const reached = ['a.test', 'A.TEST', 'a.test.', 'x.b.test', 'x.y.b.test']
  for (const host of reached)
    assert.equal((await raw(socketPath, get(`http://${host}:${port}/`))).text, 'reached', host)
  assert.deepEqual(looked, ['a.test', 'a.test', 'a.test', 'x.b.test', 'x.y.b.test'])
  const others = [
    'b.test',
    'xa.test',
    'a.test.evil',
    'xb.test',
    'b.test.x',
    '127.0.0.1.',
    'c.test',
    'x.c.test',
    '127.0.0.1',
    '8.8.8.8',
    '[::1]',
  ]
  for (const host of others) {
    const name = `${host}:${port}`
    for (const { status, text } of [
      await raw(socketPath, get(`http://${name}/`)),
      await raw(socketPath, connect(name)),
    ]) {
      assert.equal(status, 403, name)
      const bare = host.replace(/^\[|\]$|\.$/g, '')
      assert.equal(text, `The host "${bare}", port ${port}, is not among the hosts that are allowed (DOCKER_EGRESS).\n`)
    }
  }
  assert.equal((await raw(socketPath, connect('a.test:22'))).status, 403)
  assert.equal(looked.length, reached.length, 'a name that is refused was looked up')
  await untilPassed(reached.length + 2 * others.length + 1)
})

test('a session of which less is said reaches less, and never more', async (t) => {
  const port = await httpServer(t, (_request, response) => void response.end('reached'))
  const { another } = await scene(t, { privateHosts: `a.test:${port},b.test:${port}` })
  const ask = async (host: string, only: readonly string[]) =>
    await raw(await another(only), get(`http://${host}:${port}/`))
  assert.equal((await ask('a.test', [`a.test:${port}`])).text, 'reached')
  assert.match(
    (await ask('b.test', [`a.test:${port}`])).text,
    /not among the hosts of this session \(resources\.egress\)/,
  )
  assert.equal((await ask('a.test', [])).status, 403)
  assert.match((await ask('c.test', [`*:${port}`])).text, /DOCKER_EGRESS/)
})

test('without a port an entry means 80 and 443', async (t) => {
  const { socketPath } = await scene(t, { hosts: 'a.test', resolve: () => Promise.resolve([]) })
  for (const port of [80, 443]) assert.equal((await raw(socketPath, connect(`a.test:${port}`))).status, 502)
  for (const port of [8080, 22, 25]) assert.equal((await raw(socketPath, connect(`a.test:${port}`))).status, 403)
})

test('whoever has an address that is not public is refused, whatever its name', async (t) => {
  let addresses: readonly string[] = []
  const resolve = () => Promise.resolve(addresses)
  const { socketPath } = await scene(t, { hosts: '*', privateHosts: 'private.test', resolve })
  const refuses = async (authority: string, why: RegExp) => {
    const { status, text } = await raw(socketPath, connect(authority))
    assert.equal(status, 403, `${authority} ${addresses.join()}`)
    assert.match(text, why)
  }
  const own = Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address))
  const local = ['127.0.0.1', '10.0.0.1', '192.168.0.1', '172.17.0.1', '100.64.0.1', '198.18.0.1', '::1', 'fd12::1']
  const never = ['169.254.169.254', '0.0.0.0', '224.0.0.1', '::', '::ffff:127.0.0.1', '::ffff:8.8.8.8', 'fe80::1']
  for (const address of [...local, ...own]) {
    addresses = [address]
    await refuses('a.test:443', /an address that is not public, and is not in DOCKER_EGRESS_PRIVATE|no container/)
    const written = address.includes(':') ? `[${address.split('%')[0]}]` : address
    await refuses(`${written}:443`, /not public|no container/)
    addresses = ['8.8.8.8', address]
    await refuses('a.test:443', /not public|no container/)
  }
  for (const address of never) {
    addresses = [address]
    for (const host of ['a.test', 'private.test', address.includes(':') ? `[${address}]` : address])
      await refuses(`${host}:443`, /has an address that no container may connect to/)
  }
  for (const name of ['localhost', 'gateway', 'metadata.google.internal', 'printer.local'])
    await refuses(`${name}:80`, /is a name of a private network and not in DOCKER_EGRESS_PRIVATE/)
})

test('the address that was looked at is the one that is connected to', async (t) => {
  const port = await httpServer(t, (_request, response) => void response.end('first'))
  const other = await httpServer(t, (_request, response) => void response.end('second'))
  const answers = [['127.0.0.1'], ['127.0.0.2']]
  const resolve = () => Promise.resolve(answers.shift() ?? [])
  const { socketPath, looked } = await scene(t, { privateHosts: `a.test:${port},a.test:${other}`, resolve })
  assert.equal((await raw(socketPath, get(`http://a.test:${port}/`))).text, 'first')
  assert.deepEqual(looked, ['a.test'])
})

test('what is no host, no port or no way to ask is 400 and leads nowhere', async (t) => {
  const { socketPath, looked, passed } = await scene(t, { hosts: '*', privateHosts: '*.test,localhost' })
  const authorities =
    'a.test a.test: a.test:0 a.test:65536 a.test:080 a.test:80a :80 a.test:80:80 user@a.test:443 user:secret@a.test:443 '
      .concat('http://a.test:443 a.test:443/ a.test:443#x *:443 2130706433:80 0x7f000001:80 0177.0.0.1:80 127.1:80 ')
      .concat('1.2.3.4.5:80 256.0.0.1:80 [::1:80 ::1:80 [127.0.0.1]:80 [fe80::1%25lo]:80 [fe80::1%lo]:80 []:80 ')
      .concat('[::ffff:127.1]:80 a..test:80 .a.test:80 a.test..:80 -a.test:80 a_b\\c.test:80 a%2etest:80 ')
      .concat(`${'a'.repeat(64)}.test:80 b\xfccher.test:80 \xef\xbc\x91.test:80 a.test\t:80 a.test\0:80`)
      .split(' ')
  for (const authority of authorities) assert.equal((await raw(socketPath, connect(authority))).status, 400, authority)
  const urls =
    '/ * http:// http:///path http://user:secret@a.test/ http://@a.test/ https://a.test/ ftp://a.test/ ws://a.test/ '
      .concat('http:a.test/ http://a.test:99999/ http://a.test\\@b.test/ //a.test/ http://2130706433/ http://0177.1/ ')
      .concat('http://a.test#@b.test/ http://a.test/\x7f')
      .split(' ')
  urls.push('http://a.test/ b')
  for (const url of urls) assert.equal((await raw(socketPath, get(url))).status, 400, url)
  assert.deepEqual(looked, [])
  assert.ok(passed.every(({ outcome }) => outcome === 'malformed'))
  const { text } = await raw(socketPath, get('http://user:secret@a.test/'))
  assert.doesNotMatch(text, /secret/)
})

test('a line break or a head without an end brings nobody further', async (t) => {
  let connections = 0
  const port = await tcpServer(t, () => (connections += 1))
  const { socketPath } = await scene(t, { privateHosts: `a.test:${port}` })
  const injected = [
    `CONNECT a.test:${port}\r\nx: y HTTP/1.1\r\n\r\n`,
    `GET http://a.test:${port}/\r\n HTTP/1.1\r\n\r\n`,
  ]
  for (const bytes of injected) assert.equal((await raw(socketPath, bytes)).status, 400, bytes)
  const huge = `GET http://a.test:${port}/ HTTP/1.1\r\nhost: x\r\na: ${'a'.repeat(70_000)}\r\n\r\n`
  assert.equal((await raw(socketPath, huge)).status, 431)
  const long = connect(`${'a.'.repeat(40_000)}test:80`)
  assert.ok([400, 431].includes((await raw(socketPath, long)).status))
  assert.equal(connections, 0)
})

test('the log has the first refusal of every host with its reason, and not what else was asked for', async (t) => {
  const { socketPath, logged, untilPassed } = await scene(t, {})
  for (const url of ['http://a.test/secret', 'http://a.test/', 'http://b.test/']) await raw(socketPath, get(url))
  await untilPassed(3)
  const warned = logged.filter(({ level }) => level === 'warn').map(({ fields }) => fields)
  const why = (host: string) => `The host "${host}", port 80, is not among the hosts that are allowed (DOCKER_EGRESS).`
  assert.deepEqual(warned, [
    { sessionId: 'one', host: 'a.test', port: 80, reason: why('a.test') },
    { sessionId: 'one', host: 'b.test', port: 80, reason: why('b.test') },
  ])
  assert.doesNotMatch(JSON.stringify(logged), /secret/)
})
