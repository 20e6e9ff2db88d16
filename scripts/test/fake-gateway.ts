import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import type { TestContext } from 'node:test'

/** What a gateway may do wrong. */
export interface Faults {
  /** Its answer to GET /capabilities. */
  identity?: object
  /** Streams break off before their end. */
  cutsStreams?: boolean
  /** Exit codes are lost. */
  losesExitCodes?: boolean
  /** All sessions have one directory. */
  sharesDirectory?: boolean
  /** What is deleted stays. */
  keepsSessions?: boolean
}

interface Session {
  directory: string
  status: string
  runs: number
}

const identity = { executor: { name: 'server', isolation: 'none' }, engine: { version: '1.18.33' } }

/** As much of a gateway as smoke and soak ask for: commands really run, in a directory for each session. */
export async function serveFakeGateway(t: TestContext, faults: Faults = {}): Promise<string> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'fake-gateway-')))
  const sessions = new Map<string, Session>()
  const server = createServer((request, response) => void answer(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
    rmSync(root, { recursive: true, force: true })
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return `http://127.0.0.1:${address.port}`

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = request
    const body = Object(method === 'POST' ? await json(request) : {})
    const [, id = '', action = ''] = /^\/sessions\/([^/]+)\/?(.*)$/.exec(url) ?? []
    const send = (value: object) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    const session = sessions.get(id)
    if (session && action === 'stream') return stream(response, session)
    if (session) return void send(ofSession(id, session, method, action, body))
    if (url === '/capabilities') return void send(faults.identity ?? identity)
    if (url === '/sessions' && method === 'POST') return void send({ session_id: begin() })
    if (url.startsWith('/sessions'))
      return void send({ sessions: [...sessions.keys()].map((session_id) => ({ session_id, closed: false })) })
    send({})
  }

  function begin(): string {
    const id = randomUUID()
    const directory = faults.sharesDirectory ? root : join(root, id)
    mkdirSync(directory, { recursive: true })
    sessions.set(id, { directory, status: 'created', runs: 0 })
    return id
  }

  function ofSession(id: string, session: Session, method: string, action: string, body: { command?: string }): object {
    if (method === 'DELETE' && !faults.keepsSessions) sessions.delete(id)
    if (action === 'shell') return shell(session, body.command ?? '')
    if (action === 'cancel') session.status = 'cancelled'
    if (action === 'files') return { entries: readdirSync(session.directory) }
    return { workspace: session.directory, status: session.status, receipt: { quiet_after_ms: 1 }, events: [] }
  }

  function shell(session: Session, command: string): object {
    session.runs += 1
    session.status = command.startsWith('sleep') ? 'running' : 'completed'
    if (session.status === 'running') return {}
    const { stdout, status } = spawnSync('sh', ['-c', command], { cwd: session.directory, encoding: 'utf8' })
    return { stdout, exit_code: faults.losesExitCodes ? 0 : status }
  }

  function stream(response: ServerResponse, { runs }: Session): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(Array.from({ length: runs }, (_, run) => `id: ${run + 1}\nevent: complete\ndata: {}\n\n`).join(''))
    if (faults.cutsStreams) setImmediate(() => response.destroy())
    else response.end()
  }
}
