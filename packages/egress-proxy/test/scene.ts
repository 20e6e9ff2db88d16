import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import { createServer as createTcpServer, connect, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import type { Log } from '@opencode-gateway/contracts'
import { createEgressProxy, parseHostRules, type EgressProxyOptions, type HostRule, type Passed } from '../src/index.ts'

export interface Scene {
  /** Where the proxy listens for the session `one`. */
  readonly socketPath: string
  readonly passed: Passed[]
  readonly logged: { level: string; fields: Record<string, unknown> }[]
  /** Names that were looked up. */
  readonly looked: string[]
  /** Ends the session. */
  end(): Promise<void>
  /** A way in for another session of the same proxy. */
  another(only?: readonly string[]): Promise<string>
  /** Waits until so many connections are over. */
  untilPassed(count: number): Promise<void>
}

export type SceneOptions = Partial<Pick<EgressProxyOptions, 'limits' | 'resolve'>> & {
  hosts?: string
  privateHosts?: string
}

export function rules(text: string | undefined): readonly HostRule[] {
  if (text === undefined) return []
  const parsed = parseHostRules(text)
  if (parsed.status === 'refused') throw new Error(`${parsed.entry}: ${parsed.why}`)
  return parsed.rules
}

/** A proxy to which every name is 127.0.0.1. */
export async function scene(t: TestContext, options: SceneOptions): Promise<Scene> {
  const directory = await mkdtemp(path.join(tmpdir(), 'egress-'))
  const passed: Passed[] = []
  const looked: string[] = []
  let others = 0
  const logged: Scene['logged'] = []
  const watching = new Set<() => void>()
  const note = (level: string) => (fields: object) => void logged.push({ level, fields: { ...fields } })
  const log: Log = {
    debug: note('debug'),
    info: note('info'),
    warn: note('warn'),
    error: note('error'),
    child: () => log,
  }
  const { resolve = async () => ['127.0.0.1'] } = options
  const proxy = createEgressProxy({
    policy: { hosts: rules(options.hosts), privateHosts: rules(options.privateHosts) },
    log,
    ...(options.limits ? { limits: options.limits } : {}),
    observe(one) {
      passed.push(one)
      for (const look of watching) look()
    },
    resolve(host, ...rest) {
      looked.push(host)
      return resolve(host, ...rest)
    },
  })
  const socketPath = path.join(directory, 'one.sock')
  const socket = await proxy.openSocket('one', socketPath)
  t.after(async () => {
    await proxy.close()
    await rm(directory, { recursive: true, force: true })
  })
  return {
    socketPath,
    passed,
    logged,
    looked,
    end: () => socket.close(),
    async another(only) {
      others += 1
      const other = path.join(directory, `${others}.sock`)
      await proxy.openSocket('two', other, only)
      return other
    },
    untilPassed(count) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const look = (): void => {
        if (passed.length >= count) resolve()
      }
      watching.add(look)
      look()
      return promise
    },
  }
}

/** A server of this machine, ended with the test. Settles with its port. */
export async function listening(t: TestContext, server: Server): Promise<number> {
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.on('error', () => {}).on('close', () => open.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

export const httpServer = (t: TestContext, answer: RequestListener) => listening(t, createServer(answer))

export const tcpServer = (t: TestContext, serve: (socket: Socket) => void) =>
  listening(t, createTcpServer({ allowHalfOpen: true }, serve))

/** Of a name that nobody vouches for. */
export async function tlsServer(t: TestContext, serve: (socket: Socket) => void): Promise<number> {
  const made = '-x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -subj /CN=a.test -days 2 -keyout - -out -'
  const { stdout: pem } = await promisify(execFile)('openssl', ['req', ...made.split(' ')])
  return await listening(t, createTlsServer({ key: pem, cert: pem }, serve))
}

export interface RawAnswer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

/** Sends these bytes as they are, and reads until the other side has said all. */
export async function raw(socketPath: string, ...pieces: readonly string[]): Promise<RawAnswer> {
  const socket = connect({ path: socketPath })
  for (const piece of pieces) socket.write(piece, 'latin1')
  let text = ''
  try {
    for await (const chunk of socket.setEncoding('latin1')) text += String(chunk)
  } catch {
    // What came before it broke off is what counts.
  }
  const [head = '', ...body] = text.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '').split('\r\n\r\n')
  const [line = '', ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(lines.map((one) => [one.split(': ')[0]?.toLowerCase(), one.split(': ')[1]]))
  return { status: Number(line.split(' ')[1]), headers, text: body.join('\r\n\r\n') }
}

/** A tunnel that stands. */
export async function tunnelTo(socketPath: string, authority: string): Promise<Socket> {
  const socket = connect({ path: socketPath, allowHalfOpen: true })
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n\r\n`)
  let answer = ''
  while (!answer.includes('\r\n\r\n')) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    socket.pause()
    answer += chunk.toString('latin1')
  }
  const [head = '', ...rest] = answer.split('\r\n\r\n')
  if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(answer)
  if (rest.join('') !== '') socket.unshift(Buffer.from(rest.join('\r\n\r\n'), 'latin1'))
  return socket
}

export async function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
