import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { hostilePaths, legalPaths } from '@opencode-gateway/executor-testing/workspace-suite'
import { callOf } from '../gateway.ts'
import { startRealGateway } from '../real-engine.ts'

const at = (path: string): string => `?path=${encodeURIComponent(path)}`

test('A5: paths that lead out are refused by their code, strange names are names', { timeout: 120_000 }, async (t) => {
  const real = await startRealGateway()
  t.after(() => real[Symbol.asyncDispose]())
  const call = callOf(t, real.url)
  const id = randomUUID()
  assert.equal((await call('POST', '/sessions', { session_id: id })).status, 201)
  const session = `/sessions/${id}`
  await call('PUT', `${session}/files/content${at('present')}`, 'here')
  await writeFile(join(real.workspaceRoot, 'outside'), 'kept')
  const before = await readdir(real.workspaceRoot, { recursive: true })

  for (const [code, paths] of Object.entries(hostilePaths)) {
    await t.test(`${paths.length} paths are refused with ${code} by every route`, async () => {
      // What is no text cannot be sent.
      for (const path of paths.filter((path) => path.isWellFormed())) {
        for (const [method, route, body] of [
          ['GET', `/files${at(path)}`],
          ['GET', `/files/info${at(path)}`],
          ['GET', `/files/content${at(path)}`],
          ['PUT', `/files/content${at(path)}`, 'x'],
          ['DELETE', `/files${at(path)}&recursive=true`],
          ['POST', '/files/mkdir', { path }],
          ['POST', '/files/move', { from: path, to: 'elsewhere' }],
          ['POST', '/files/move', { from: 'present', to: path, overwrite: true }],
          ['GET', `/archive${at(path)}`],
        ] as const) {
          const answer = await call(method, session + route, body)
          assert.deepEqual([answer.status, answer.json().code], [400, code], `${method} ${route.slice(0, 80)}`)
        }
      }
    })
  }

  await t.test('nothing was read, written or removed by any of them', async () => {
    assert.deepEqual(await readdir(real.workspaceRoot, { recursive: true }), before)
  })

  await t.test(`${legalPaths.length} strange names are written and read`, async () => {
    for (const path of legalPaths) {
      const file = `${session}/files/content${at(path)}`
      assert.equal((await call('PUT', file, path)).status, 201, path)
      const answer = await call('GET', file)
      assert.equal(answer.status, 200, path)
      assert.equal(answer.text, path.replace(/^\ufeff/, ''))
      assert.equal((await call('DELETE', `${session}/files${at(path)}`)).status, 204, path)
    }
  })
})
