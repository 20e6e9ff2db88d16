import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { createGate } from '../src/app.ts'
import { readConfig } from '../src/config.ts'

test('a container whose directory became a link while it was started is removed', async (t) => {
  const workspaceRoot = realpathSync(mkdtempSync(path.join(tmpdir(), 'gate-swap-')))
  t.after(() => rmSync(workspaceRoot, { recursive: true }))
  const directory = path.join(workspaceRoot, 'one')
  mkdirSync(directory)
  const socketPath = path.join(workspaceRoot, 'daemon.sock')
  const config = readConfig({
    OPENCODE_IMAGE: 'opencode-engine:1',
    WORKSPACE_ROOT: workspaceRoot,
    DOCKER_HOST: `unix://${socketPath}`,
  })
  const container = {
    Id: 'abc',
    Config: { Labels: { 'opencode-gateway.gate': config.mark } },
    HostConfig: { Mounts: [{ Source: directory }] },
  }
  const asked: string[] = []
  // A daemon in which whoever has the workspaces is faster than the look at them.
  const daemon = createServer(({ method, url }, response) => {
    asked.push(`${method} ${url}`)
    if (method === 'GET') return response.end(JSON.stringify(container))
    if (method === 'POST') {
      renameSync(directory, `${directory}-before`)
      symlinkSync('/etc', directory)
    }
    return response.writeHead(204).end()
  }).listen(socketPath)
  await once(daemon, 'listening')
  const gate = createGate({ config })
  t.after(async () => {
    await gate.close()
    daemon.close()
  })
  const { statusCode, body } = await gate.inject({ method: 'POST', url: '/containers/abc/start' })
  assert.equal(statusCode, 403)
  assert.match(body, /behind a link/)
  assert.deepEqual(asked.slice(1), ['POST /containers/abc/start', 'DELETE /containers/abc?force=true&v=true'])
})
