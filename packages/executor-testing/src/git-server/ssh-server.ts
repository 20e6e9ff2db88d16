import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

/** OpenSSH's own server on a free port of 127.0.0.1, with a host key and one account's key of its own. */
export interface SshServer {
  /** "127.0.0.1:port", as an allow-list and credentials name it. */
  readonly host: string
  /** Address of a directory of this machine; needs the key. */
  urlOf(directory: string): string
  /** The private key that is let in. */
  readonly key: string
  readonly keyFile: string
  /** A line for a known_hosts file. */
  readonly knownHost: string
  /** What it logged so far. */
  logged(): string
  /** Ends it and its sessions and removes its files; idempotent. */
  close(): Promise<void>
}

/** Where Debian's sshd keeps nothing, but will not start without as root. */
const PRIVILEGE_SEPARATION = '/run/sshd'
const TRIES = 5

/** `port`: of one that was there before, to take its place. */
export async function createSshServer(options: { port?: number } = {}): Promise<SshServer> {
  const root = await mkdtemp(path.join(tmpdir(), 'ssh-server-'))
  try {
    for (const name of ['host', 'user']) await makeKey(path.join(root, name))
    const hostKey = (await readFile(path.join(root, 'host.pub'), 'utf8')).split(' ').slice(0, 2).join(' ')
    if (userInfo().uid === 0) await mkdir(PRIVILEGE_SEPARATION, { recursive: true, mode: 0o755 })
    const { child, port, logged } = await start(root, options.port)
    const host = `127.0.0.1:${port}`
    const keyFile = path.join(root, 'user')
    return {
      host,
      keyFile,
      key: await readFile(keyFile, 'utf8'),
      knownHost: `[127.0.0.1]:${port} ${hostKey}\n`,
      logged,
      urlOf: (directory) => `ssh://${userInfo().username}@${host}${directory}`,
      async close() {
        await stop(child)
        await rm(root, { recursive: true, force: true, maxRetries: 3 })
      },
    }
  } catch (error) {
    await rm(root, { recursive: true, force: true, maxRetries: 3 })
    throw error
  }
}

async function makeKey(file: string): Promise<void> {
  await promisify(execFile)('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', file])
}

async function start(root: string, wanted: number | undefined) {
  for (let attempt = 1; ; attempt += 1) {
    // Somebody else may take the port in between: sshd does not choose one by itself.
    const port = wanted ?? (await freePort())
    const file = path.join(root, 'sshd_config')
    await writeFile(file, configuration(root, port))
    const child = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] })
    let text = ''
    const listening = Promise.withResolvers<boolean>()
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.includes('Server listening')) listening.resolve(true)
    })
    child.once('error', listening.reject)
    child.once('exit', () => listening.resolve(false))
    if (await listening.promise) return { child, port, logged: () => text }
    if (attempt === TRIES) throw new Error(`sshd does not start: ${text}`)
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function configuration(root: string, port: number): string {
  return [
    'ListenAddress 127.0.0.1',
    `Port ${port}`,
    `HostKey ${path.join(root, 'host')}`,
    `AuthorizedKeysFile ${path.join(root, 'user.pub')}`,
    'AuthenticationMethods publickey',
    'PermitRootLogin prohibit-password',
    'StrictModes no',
    'UsePAM no',
    'PidFile none',
    'AcceptEnv GIT_PROTOCOL',
    'LogLevel VERBOSE',
    '',
  ].join('\n')
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill()
  await exited
}
