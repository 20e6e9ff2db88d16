import assert from 'node:assert/strict'
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { suite, test } from 'node:test'
import { hostileBodies } from './hostile-bodies.ts'
import { containers, goodBody, image, missingDaemon, startScene } from './scene.ts'

const NAME = 'opencode-gateway-gate-test'

suite('the gate before the real daemon', { skip: await missingDaemon() }, async () => {
  const scene = await startScene()
  const { gate, daemon, workspaceRoot } = scene
  mkdirSync(`${workspaceRoot}-beside`)
  writeFileSync(path.join(workspaceRoot, 'file'), '')
  symlinkSync('/etc', path.join(workspaceRoot, 'link'))

  test('makes, starts, shows and removes what the executor asks for', async () => {
    const made = await gate('POST', `/v1.41/containers/create?name=${NAME}-good`, goodBody(scene))
    assert.equal(made.status, 201, made.text)
    const { Id: id } = JSON.parse(made.text)
    assert.equal((await gate('POST', `/containers/${id}/start`)).status, 204)
    assert.equal((await gate('POST', `/containers/${id}/start`)).status, 304)
    const shown = JSON.parse((await gate('GET', `/containers/${NAME}-good/json`)).text)
    assert.equal(shown.Image, scene.imageId)
    assert.equal(shown.HostConfig.Privileged, false)
    assert.deepEqual(shown.HostConfig.CapDrop, ['ALL'])
    assert.equal(shown.Config.Labels['opencode-gateway.gate'], scene.config.mark)
    const events = await scene.stream(`/events?filters=${encodeURIComponent('{"event":["die"],"type":["container"]}')}`)
    const wait = gate('POST', `/containers/${id}/wait?condition=not-running`, { condition: 'not-running' })
    const filters = encodeURIComponent(JSON.stringify({ label: ['opencode-gateway.owner=abcdef'] }))
    const listed = JSON.parse((await gate('GET', `/containers/json?all=true&filters=${filters}`)).text)
    assert.deepEqual(
      listed.map((one: { Id: string }) => one.Id),
      [id],
    )
    assert.equal((await gate('GET', `/containers/${id}/top?ps_args=-eo%20pid%2Cppid%2Ccomm`)).status, 200)
    assert.equal((await gate('GET', `/containers/${id}/logs?stdout=1&stderr=1&tail=10`)).status, 200)
    assert.equal((await gate('POST', `/containers/${id}/kill`)).status, 204)
    assert.equal(JSON.parse((await wait).text).StatusCode, 137)
    const { Action, Actor } = JSON.parse(await events.line)
    assert.deepEqual([Action, Actor.ID], ['die', id])
    assert.equal((await gate('DELETE', `/containers/${id}?force=true&v=true`)).status, 204)
    assert.equal((await gate('GET', `/containers/${id}/json`)).status, 404)
  })

  test('is needed: the daemon takes names in any case', async () => {
    const body = goodBody(scene)
    const { Privileged: _, ...host } = body.HostConfig
    const hostile = { ...body, HostConfig: { ...host, privileged: true } }
    const made = await daemon('POST', `/containers/create?name=${NAME}-control`, hostile)
    const { Id: id } = JSON.parse(made.text)
    const shown = JSON.parse((await daemon('GET', `/containers/${id}/json`)).text)
    assert.equal(shown.HostConfig.Privileged, true)
    await daemon('DELETE', `/containers/${id}?force=1`)
  })

  test(`lets none of ${hostileBodies.length} hostile bodies through`, async () => {
    assert.ok(hostileBodies.length >= 80)
    for (const [index, { name, make }] of hostileBodies.entries()) {
      const body = make(goodBody(scene))
      const { status, text } = await gate('POST', `/containers/create?name=${NAME}-${index}`, body)
      assert.ok(status === 403 || status === 400, `${name}: ${status} ${text}`)
      assert.doesNotMatch(text, /daemon cannot be reached/, name)
    }
    assert.deepEqual(await containers(daemon), [])
  })

  test('lets no other call through', async () => {
    const made = await gate('POST', `/containers/create?name=${NAME}-calls`, goodBody(scene))
    const { Id: id } = JSON.parse(made.text)
    const calls: readonly (readonly [string, string, object?])[] = [
      ['GET', '/info'],
      ['GET', '/events'],
      ['GET', '/events?filters=%7B%22event%22%3A%5B%22create%22%5D%7D'],
      ['GET', '/events?filters=%7B%22type%22%3A%7B%22image%22%3Atrue%7D%7D'],
      ['GET', '/events?filters=%7B%7D&since=1'],
      ['GET', '/system/df'],
      ['GET', '/images/json'],
      ['GET', '/images/node:24-bookworm-slim/json'],
      ['GET', `/images/${image}/history`],
      ['GET', `/images/${image}/get`],
      ['GET', '/images/../containers/json/json'],
      ['POST', '/images/create?fromImage=busybox&tag=latest'],
      ['POST', `/images/create?fromSrc=-&repo=${image}`],
      ['POST', '/images/load'],
      ['POST', `/images/${image}/push`],
      ['POST', `/images/${image}/tag?repo=x`],
      ['DELETE', `/images/${image}`],
      ['POST', '/build'],
      ['POST', '/build?remote=https://example.com/x.git'],
      ['POST', '/auth', {}],
      ['POST', '/commit?container=x'],
      ['POST', `/containers/${id}/exec`, { Cmd: ['id'] }],
      ['POST', `/containers/${id}/attach?stream=1`],
      ['POST', `/containers/${id}/update`, { Memory: 0 }],
      ['POST', `/containers/${id}/rename?name=x`],
      ['POST', `/containers/${id}/pause`],
      ['POST', `/containers/${id}/resize?h=1&w=1`],
      ['GET', `/containers/${id}/archive?path=/etc`],
      ['PUT', `/containers/${id}/archive?path=/`],
      ['HEAD', `/containers/${id}/archive?path=/etc`],
      ['GET', `/containers/${id}/export`],
      ['GET', `/containers/${id}/changes`],
      ['GET', `/containers/${id}/stats?stream=0`],
      ['GET', `/containers/${id}/top?ps_args=aux`],
      ['GET', `/containers/${id}/top?ps_args=-eo%20pid,ppid,comm%20--x`],
      ['POST', `/containers/${id}/kill?signal=USR1`],
      ['POST', `/containers/${id}/kill?signal=KILL&signal=TERM`],
      ['POST', `/containers/${id}/start?checkpoint=x`],
      ['POST', `/containers/${id}/start`, { Privileged: true }],
      ['DELETE', `/containers/${id}?link=1`],
      ['POST', '/containers/prune'],
      ['POST', '/containers/create'],
      ['POST', '/containers/create?name=another', goodBody(scene)],
      ['POST', `/containers/create?name=${NAME}-x&platform=linux/arm64`, goodBody(scene)],
      ['POST', '/Containers/create?name=x', goodBody(scene)],
      ['POST', '//containers/create?name=x', goodBody(scene)],
      ['POST', '/v1.41//containers/create?name=x', goodBody(scene)],
      ['GET', '/containers/json?filters=%7B%22status%22%3A%5B%22running%22%5D%7D'],
      ['GET', '/containers/json?filters=%7B%22label%22%3A%7B%22a%22%3Atrue%7D%7D'],
      ['GET', '/networks'],
      ['POST', '/networks/create', { Name: 'x' }],
      ['POST', '/networks/bridge/connect', { Container: id }],
      ['GET', '/volumes'],
      ['POST', '/volumes/create', {}],
      ['POST', '/plugins/pull?remote=x'],
      ['POST', '/swarm/init', {}],
      ['GET', '/secrets'],
      ['POST', '/session'],
      ['POST', '/grpc'],
      ['GET', '/'],
      ['GET', `/containers/${id}%2F..%2F..%2Finfo/json`],
      ['GET', `/containers/..%2Finfo%3F/json`],
      ['POST', `/containers/${id}%3Fx/start`],
    ]
    for (const [method, url, body] of calls) {
      const { status, text } = await gate(method, url, body)
      assert.ok([400, 403, 404, 415].includes(status), `${method} ${url}: ${status} ${text}`)
      assert.match(
        method === 'HEAD' ? 'gate' : text,
        /gate|JSON|Media Type/,
        `${method} ${url} was not refused by the gate: ${text}`,
      )
    }
    await gate('DELETE', `/containers/${id}?force=1`)
    assert.deepEqual(await containers(daemon), [])
  })

  test('touches no container that did not come through it, and shows none', async () => {
    const body = { ...goodBody(scene), Labels: { ...goodBody(scene).Labels, 'opencode-gateway.gate': 'another' } }
    const made = await daemon('POST', `/containers/create?name=${NAME}-foreign`, body)
    const { Id: id } = JSON.parse(made.text)
    await daemon('POST', `/containers/${id}/start`)
    for (const name of [id, id.slice(0, 12), `${NAME}-foreign`]) {
      for (const [method, action] of [
        ['GET', '/json'],
        ['GET', '/logs?stdout=1'],
        ['GET', '/top'],
        ['POST', '/start'],
        ['POST', '/stop'],
        ['POST', '/kill'],
        ['POST', '/wait'],
        ['DELETE', '?force=1'],
      ] as const) {
        const { status } = await gate(method, `/containers/${name}${action}`)
        assert.equal(status, 404, `${method} ${action}`)
      }
    }
    assert.deepEqual(JSON.parse((await gate('GET', '/containers/json?all=1')).text), [])
    assert.equal(JSON.parse((await daemon('GET', `/containers/${id}/json`)).text).State.Running, true)
    await daemon('DELETE', `/containers/${id}?force=1`)
  })

  test('does not start what became a link after it was made', async () => {
    const directory = path.join(workspaceRoot, 'swapped')
    mkdirSync(directory)
    const body = goodBody(scene)
    const [first] = body.HostConfig.Mounts
    assert.ok(first)
    const mounts = [{ ...first, Source: directory }]
    const swapped = { ...body, HostConfig: { ...body.HostConfig, Mounts: mounts } }
    const made = await gate('POST', `/containers/create?name=${NAME}-swapped`, swapped)
    const { Id: id } = JSON.parse(made.text)
    renameSync(directory, `${directory}-before`)
    symlinkSync('/etc', directory)
    const { status, text } = await gate('POST', `/containers/${id}/start`)
    assert.equal(status, 403)
    assert.match(text, /behind a link/)
    await gate('DELETE', `/containers/${id}?force=1`)
  })

  test('makes no more containers than it may', async () => {
    const names = Array.from({ length: scene.config.bounds.containers }, (_, index) => `${NAME}-many-${index}`)
    for (const name of names)
      assert.equal((await gate('POST', `/containers/create?name=${name}`, goodBody(scene))).status, 201)
    const { status, text } = await gate('POST', `/containers/create?name=${NAME}-one-more`, goodBody(scene))
    assert.equal(status, 503)
    assert.match(text, /the most that are allowed/)
    for (const name of names) assert.equal((await gate('DELETE', `/containers/${name}?force=1`)).status, 204)
  })
})
