import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import type { DaemonAddress } from '../src/index.ts'
import { socketOfTests } from './scene.ts'

/** The daemon of the tests, whose pulls are played: what there is no registry for here. */
export interface Registry {
  /** Passes everything on but pulls. */
  daemon: DaemonAddress
  pulls(): number
  /** What the next pulls fail with; undefined: they do not. */
  fail(why: string | undefined): void
}

/** `provide`: has the image in the daemon when it settles, as a pull does. */
export async function startRegistry(t: TestContext, provide: () => Promise<void>): Promise<Registry> {
  const directory = await mkdtemp(path.join(tmpdir(), 'registry-'))
  const socketPath = path.join(directory, 'docker.sock')
  let pulls = 0
  let failure: string | undefined
  const server = createServer(async (incoming, response) => {
    const { method, url = '', headers } = incoming
    if (/\/images\/create\?/.test(url)) {
      pulls += 1
      response.write(`${JSON.stringify({ status: 'Pulling' })}\n`)
      if (failure === undefined) await provide()
      return void response.end(JSON.stringify(failure === undefined ? { status: 'Done' } : { error: failure }))
    }
    const passed = request({ socketPath: socketOfTests(), method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers).flushHeaders()
      answer.pipe(response)
      response.on('close', () => answer.destroy())
    })
    passed.on('error', () => response.destroy())
    response.on('close', () => passed.destroy())
    incoming.pipe(passed)
  }).listen(socketPath)
  await once(server, 'listening')
  t.after(async () => {
    server.closeAllConnections()
    server.close()
    await rm(directory, { recursive: true })
  })
  return { daemon: { socketPath }, pulls: () => pulls, fail: (why) => void (failure = why) }
}
