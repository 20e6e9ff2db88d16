import assert from 'node:assert/strict'
import { test } from 'node:test'
import Fastify from 'fastify'
import { rawBody, takeRawBodies } from '../src/http/raw-body.ts'
import { strictInput } from '../src/plugins/strict-input.ts'

test('a body that its route reads as it arrives is left to the route', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  await app.register(strictInput)
  await app.register(async (raw) => {
    takeRawBodies(raw)
    raw.put('/bytes', async (request) => ({ read: (await rawBody(request, 100).toArray()).join('') }))
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const response = await fetch(`${app.listeningOrigin}/bytes`, { method: 'PUT', body: 'abc', signal: t.signal })
  assert.deepEqual([response.status, await response.json()], [200, { read: 'abc' }])
})
