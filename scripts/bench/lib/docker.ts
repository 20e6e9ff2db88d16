import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { BenchContext, Figure } from '../bench.ts'

export const engineImage = process.env['TEST_ENGINE_IMAGE'] ?? 'opencode-engine:1.18.33'
const daemon = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock'

export async function docker(...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)('docker', ['--host', daemon, ...args])).stdout.trim()
}

/** Instead of figures where there is no daemon, or no engine image. */
export async function notMeasured(): Promise<Figure | undefined> {
  const missing = await docker('image', 'inspect', engineImage).then(
    () => undefined,
    (error: Error) => error.message.trim().split('\n').at(-1),
  )
  return missing === undefined ? undefined : { what: 'containers', measured: `not measured: ${missing}` }
}

/** Between a gateway and the daemon: counts what is asked. */
export interface CountedDaemon {
  /** For DOCKER_HOST. */
  host: string
  /** Calls since the last look, by what they are. */
  take(): Readonly<Record<string, number>>
}

export async function countDaemonCalls({ after, directory }: BenchContext): Promise<CountedDaemon> {
  const socketPath = daemon.replace(/^unix:\/\//, '')
  let calls: Record<string, number> = {}
  const server = createServer({ requestTimeout: 0 }, (incoming, outgoing) => {
    const { method = 'GET', url = '/', headers } = incoming
    const name = `${method} ${url.replace(/\?.*/, '').replace(/\/containers\/[^/]{12,}/, '/containers/…')}`
    calls[name] = (calls[name] ?? 0) + 1
    const passed = request({ socketPath, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      // A wait is known to be taken by its headers.
      outgoing.flushHeaders()
      answer.pipe(outgoing)
    })
    passed.on('error', () => outgoing.destroy())
    outgoing.on('close', () => passed.destroy())
    incoming.pipe(passed)
  })
  const path = join(directory, 'daemon.sock')
  server.listen(path)
  await once(server, 'listening')
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    host: `unix://${path}`,
    take() {
      const taken = calls
      calls = {}
      return taken
    },
  }
}

/** Label of the containers of one gateway. */
export async function ownersLabel(workspaceRoot: string): Promise<string> {
  return `opencode-gateway.owner=${await readFile(join(workspaceRoot, '.engine', '.owner'), 'utf8')}`
}

const patienceMs = 20_000

/** What is left once nothing goes any more: a run is answered before its session is put away. */
export async function leftInTheEnd(workspaceRoot: string, signal: AbortSignal): Promise<number> {
  for (const startedAt = performance.now(); ;) {
    const left = await leftBehind(workspaceRoot)
    if (left === 0 || performance.now() - startedAt > patienceMs) return left
    await sleep(100, undefined, { signal })
  }
}

/** Containers, directories and sockets of sessions below a root of workspaces; those that wait are not counted. */
async function leftBehind(workspaceRoot: string): Promise<number> {
  const found = await docker(
    'ps',
    '--all',
    '--format',
    '{{.Names}}',
    '--filter',
    `label=${await ownersLabel(workspaceRoot)}`,
  )
  const containers = found.split('\n').filter((name) => name !== '' && !name.includes('-warm-'))
  const areas = ['', '.engine', '.shell', '.sessions', '.aside']
  const names = await Promise.all(areas.map((area) => readdir(join(workspaceRoot, area)).catch(() => [])))
  const directories = names.flat().filter((name) => !name.startsWith('.') && !name.startsWith('warm-'))
  return containers.length + directories.length
}
