import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, test } from 'node:test'
import { silentLog } from '@opencode-gateway/executor-testing'
import { labels } from '../src/container/container-spec.ts'
import { createContainer } from '../src/container/create-container.ts'
import { createDaemon } from '../src/daemon/daemon.ts'
import { createDiscarded } from '../src/container/discard.ts'
import { createDockerExecutor } from '../src/index.ts'
import { watchExit } from '../src/container/watch-exit.ts'
import { noOwnDaemon, shareOwnDaemon } from './own-daemon.ts'
import { leftBelow, soon, until } from './scene.ts'

test('a socket that is not there is told with what to do', async () => {
  const daemon = createDaemon({ address: { socketPath: path.join(tmpdir(), 'no-such.sock') }, timeoutMs: 1_000 })
  await assert.rejects(daemon.ping(soon()), {
    code: 'EXECUTOR_UNAVAILABLE',
    message: /no-such\.sock.*is Docker running/,
  })
})

test('an executor without a daemon does not start, is not well, and opens nothing', async (t) => {
  const directory = await mkdtemp(path.join(tmpdir(), 'no-daemon-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  const workspaceRoot = path.join(directory, 'workspaces')
  const executor = createDockerExecutor({
    workspaceRoot,
    log: silentLog,
    daemon: { socketPath: path.join(tmpdir(), 'no-such.sock') },
    image: 'none',
    openModels: () => Promise.reject(new Error('nobody asks')),
  })
  t.after(() => executor.close())
  await assert.rejects(executor.start(soon()), { code: 'EXECUTOR_UNAVAILABLE', retryable: true })
  const health = await executor.check(soon())
  assert.equal(health.ok, false)
  const opening = executor.open({ sessionId: 'one', title: 'One' }, { signal: soon(), log: silentLog })
  await assert.rejects(opening, { code: 'EXECUTOR_UNAVAILABLE' })
  assert.deepEqual(await leftBelow(workspaceRoot), [])
})

test('an answer that breaks off in its middle is not waited for, and the password is not in the URL', async (t) => {
  const urls: string[] = []
  const server = createServer((request, response) => {
    urls.push(request.url ?? '')
    response.writeHead(201, { 'content-length': '1000' }).write('{"Id":')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const daemon = createDaemon({ address: { host: '127.0.0.1', port }, timeoutMs: 200 })
  const body = { Image: 'x', Env: ['OPENCODE_SERVER_PASSWORD=secret'] } as unknown as Parameters<
    typeof daemon.create
  >[1]
  await assert.rejects(daemon.create('one', body, soon()), { code: 'EXECUTOR_UNAVAILABLE', message: /within 200 ms/ })
  assert.deepEqual(urls, ['/containers/create?name=one'])
})

const labelled = (epoch: number) => ({
  [labels.owner]: 'owner',
  [labels.session]: 'session',
  [labels.epoch]: String(epoch),
})

describe('a daemon that fails', { skip: await noOwnDaemon() }, () => {
  const daemonOfAll = shareOwnDaemon()

  test('one that hangs is given up in time, and what it makes afterwards is removed', async () => {
    const own = daemonOfAll()
    const hasty = createDaemon({ address: { socketPath: own.socketPath }, timeoutMs: 300 })
    const { discard, retry } = createDiscarded({ daemon: hasty, log: silentLog, timeoutMs: 1_000 })
    own.pause()
    await assert.rejects(hasty.create('late', own.body, soon()), {
      message: /did not create a container within 300 ms/,
    })
    await discard('late')
    own.resume()
    await until(async () => (await own.daemon.inspect('late', soon())) !== undefined)
    await retry()
    assert.equal(await own.daemon.inspect('late', soon()), undefined)
  })

  test('a container that was made later under the name of one to be removed is left alone', async () => {
    const own = daemonOfAll()
    const hasty = createDaemon({ address: { socketPath: own.socketPath }, timeoutMs: 300 })
    const options = { daemon: hasty, log: silentLog, timeoutMs: 1_000 }
    const { discard, has, retry } = createDiscarded(options)
    own.pause()
    await discard('same-name', 1)
    own.resume()
    const id = await own.daemon.create('same-name', { ...own.body, Labels: labelled(2) }, soon())
    await retry()
    assert.equal((await own.daemon.inspect('same-name', soon()))?.id, id)
    assert.equal(has('same-name'), false)
    await discard('same-name', 2)
    assert.equal(await own.daemon.inspect('same-name', soon()), undefined)
  })

  test('a name of which there is no container is kept for a while, and then forgotten', async () => {
    const { daemon, body } = daemonOfAll()
    const patient = createDiscarded({ daemon, log: silentLog, timeoutMs: 5_000 })
    await patient.discard('later', 1)
    assert.equal(patient.has('later'), true)
    await daemon.create('later', { ...body, Labels: labelled(1) }, soon())
    await Promise.all([patient.retry(), patient.retry()])
    assert.equal(await daemon.inspect('later', soon()), undefined)
    assert.equal(patient.has('later'), false)
    const hasty = createDiscarded({ daemon, log: silentLog, timeoutMs: 5_000, lateMs: 0 })
    await hasty.discard('never', 1)
    assert.equal(hasty.has('never'), false)
  })

  test('the end of a container is seen although the daemon was away meanwhile', async () => {
    const own = daemonOfAll()
    const id = await own.daemon.create('sleeper', own.body, soon())
    await own.daemon.start(id, soon())
    const connection = own.daemon.exited(id, soon())
    const broken = assert.rejects(connection)
    const watching = watchExit(own.daemon, id, AbortSignal.timeout(60_000))
    await own.crash()
    await broken
    await own.start()
    await watching
    assert.equal((await own.daemon.inspect(id, soon()))?.running, false)
    await own.daemon.remove(id, soon())
    assert.equal(await own.daemon.inspect(id, soon()), undefined)
  })

  test('calls that come too late are none: ending and removing what is gone, starting what runs', async () => {
    const { daemon, body } = daemonOfAll()
    const id = await daemon.create('twice', body, soon())
    await daemon.start(id, soon())
    await daemon.start(id, soon())
    // Init, and what it has started.
    await until(async () => (await daemon.processes(id, soon())).length === 2)
    await Promise.all([daemon.kill(id, soon()), daemon.kill(id, soon())])
    await watchExit(daemon, id, soon())
    await Promise.all([daemon.remove(id, soon()), daemon.remove(id, soon())])
    await daemon.remove(id, soon())
    await daemon.kill(id, soon())
  })

  test('an image that is not there is told as such', async () => {
    const { daemon, body } = daemonOfAll()
    assert.equal(await daemon.findImage('no-such-image:1', soon()), undefined)
    await assert.rejects(
      daemon.pull('127.0.0.1:1/no-such-image:1', () => {}, soon()),
      /could not/,
    )
    const wrong = { ...body, Image: 'no-such-image:1' }
    await assert.rejects(createContainer(daemon, { name: 'one', owner: 'me' }, wrong, soon()), {
      code: 'IMAGE_UNAVAILABLE',
    })
  })

  test('a name that somebody else has taken is told, and what is theirs stays', async () => {
    const { daemon, body, containers } = daemonOfAll()
    const theirs = await daemon.create('taken', body, soon())
    const mine = createContainer(daemon, { name: 'taken', owner: 'me' }, body, soon())
    await assert.rejects(mine, { code: 'EXECUTOR_UNAVAILABLE', message: /"taken" is in the way, and not ours/ })
    assert.ok(await daemon.inspect(theirs, soon()))
    assert.deepEqual(await containers(), ['taken'], 'nothing is left of this fault, nor of those before')
  })
})
