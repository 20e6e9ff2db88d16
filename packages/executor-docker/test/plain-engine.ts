import { execFile } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { image } from './scene.ts'

const run = promisify(execFile)

/** The program in the place of the engine. It makes sessions, works in none, and comes up once nothing is at /workspace/wait. */
const program = (version: string): string => `#!/usr/bin/env node
const { existsSync } = require('node:fs')
const port = Number(process.argv[process.argv.indexOf('--port') + 1])
let sessions = 0
const server = require('node:http').createServer(({ method, url }, response) => {
  const now = Date.now()
  const path = url.split('?')[0]
  const id = path.split('/')[2] ?? 'ses_' + ++sessions
  const session = { id, directory: '/workspace', title: 'x', time: { created: now, updated: now } }
  const isSession = /^\\/session(\\/ses_\\d+)?$/.test(path) && method !== 'DELETE'
  const answer = path === '/global/health' ? { healthy: true, version: '${version}' } : isSession ? session : true
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
})
const begin = () => {
  if (existsSync('/workspace/wait')) return void setTimeout(begin, 20)
  server.listen(port, '127.0.0.1', () => console.log('opencode server listening on http://127.0.0.1:' + port))
}
begin()
`

/** An image like that of the engine, but for the engine, which takes no time to start; to be removed. */
export async function buildPlainEngine(tag: string, { version = '1.18.33' } = {}): Promise<() => Promise<void>> {
  const directory = await mkdtemp(path.join(tmpdir(), 'plain-engine-'))
  try {
    await writeFile(path.join(directory, 'opencode'), program(version))
    await chmod(path.join(directory, 'opencode'), 0o755)
    await writeFile(path.join(directory, 'Dockerfile'), `FROM ${image}\nCOPY opencode /usr/local/bin/opencode\n`)
    await run('docker', ['build', '--tag', tag, directory])
  } finally {
    await rm(directory, { recursive: true })
  }
  return async () => void (await run('docker', ['image', 'rm', '--force', tag]))
}
