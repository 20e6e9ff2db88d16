import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createDaemon } from '../src/daemon/daemon.ts'
import type { Daemon } from '../src/daemon/daemon.ts'
import type { ContainerBody } from '../src/container/container-spec.ts'

const run = promisify(execFile)

/** A Docker daemon that one test may end, stop or start again; with an image in which there is nothing but `sleep`. */
export interface OwnDaemon {
  readonly socketPath: string
  readonly daemon: Daemon
  /** A container that sleeps. */
  readonly body: ContainerBody
  /** Names of all containers it has. */
  containers(): Promise<readonly string[]>
  pause(): void
  resume(): void
  /** Ends it as a crash would. */
  crash(): Promise<void>
  /** `liveRestore`: what it finds running goes on. */
  start(options?: { liveRestore?: boolean }): Promise<void>
}

/** Why there can be none here, or false. */
export async function noOwnDaemon(): Promise<string | false> {
  if (process.getuid?.() !== 0) return 'only root can start a Docker daemon'
  const found = await run('sh', ['-c', 'command -v dockerd unshare']).catch(() => undefined)
  return found ? false : 'there is no dockerd or no unshare to start it with'
}

/** Where it is said what is to be done in the end, such as a test. */
interface Lifetime {
  after(end: () => Promise<void>): void
}

/** One for all tests of the suite in which this is called: to start and to end it takes seconds. */
export function shareOwnDaemon(): () => OwnDaemon {
  const ends: (() => Promise<void>)[] = []
  let own: OwnDaemon | undefined
  before(async () => {
    own = await startOwnDaemon({ after: (end) => void ends.push(end) })
  })
  after(async () => {
    for (const end of ends) await end()
  })
  return () => {
    if (!own) throw new Error('the daemon has not been started')
    return own
  }
}

export async function startOwnDaemon(t: Lifetime, { timeoutMs = 5_000 } = {}): Promise<OwnDaemon> {
  const directory = await mkdtemp(path.join(tmpdir(), 'own-daemon-'))
  const socketPath = path.join(directory, 'sock')
  const daemon = createDaemon({ address: { socketPath }, timeoutMs })
  let child: ChildProcess | undefined
  let isLive = false

  const start: OwnDaemon['start'] = async ({ liveRestore = false } = {}) => {
    isLive = liveRestore
    // One that has crashed leaves these, and the process of its containerd may not have been waited for yet.
    await rm(path.join(directory, 'pidfile'), { force: true })
    await rm(path.join(directory, 'exec-root', 'containerd', 'containerd.pid'), { force: true })
    // A network namespace of its own: a daemon without a bridge takes away that of another one.
    const place = ['data-root', 'exec-root', 'pidfile'].map((name) => `--${name}=${path.join(directory, name)}`)
    const options = [...place, `--host=unix://${socketPath}`, '--bridge=none', '--iptables=false']
    if (liveRestore) options.push('--live-restore')
    child = spawn('unshare', ['--net', 'dockerd', ...options], { stdio: 'ignore' })
    while (isRunning(child)) {
      const answers = await daemon.ping(AbortSignal.timeout(1_000)).then(
        () => true,
        () => false,
      )
      if (answers) return
      await sleep(50)
    }
    throw new Error(`dockerd ended with ${child.exitCode}`)
  }

  const crash = async (): Promise<void> => {
    if (!child) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  const stop = async (): Promise<void> => {
    // Only a daemon ends its containers.
    if (!isRunning(child)) await start()
    if (isLive)
      await run('sh', [
        '-c',
        `docker --host unix://${socketPath} ps -aq | xargs -r docker --host unix://${socketPath} rm -f`,
      ])
    if (child) {
      const ended = once(child, 'exit')
      child.kill('SIGCONT')
      child.kill('SIGTERM')
      await ended
    }
    await run('sh', ['-c', `umount -R ${directory}/*/* ${directory}/* 2>/dev/null; true`])
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }

  t.after(stop)
  await start()
  await importSleep(directory, socketPath)
  return {
    socketPath,
    daemon,
    start,
    crash,
    body: {
      Image: 'sleep',
      Cmd: ['/sleep', '1000'],
      HostConfig: { NetworkMode: 'none', Init: true },
    } as unknown as ContainerBody,
    async containers() {
      const { stdout } = await run('docker', [
        '--host',
        `unix://${socketPath}`,
        'ps',
        '--all',
        '--format',
        '{{.Names}}',
      ])
      return stdout.split('\n').filter((name) => name !== '')
    },
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
  }
}

function isRunning(child: ChildProcess | undefined): boolean {
  return child !== undefined && child.exitCode === null && child.signalCode === null
}

async function importSleep(directory: string, socketPath: string): Promise<void> {
  const root = path.join(directory, 'image')
  await mkdir(root)
  const script = `cp "$(command -v sleep)" "$1/sleep" && ldd "$1/sleep" | grep -o '/[^ ]*' | while read -r library; do
    mkdir -p "$1$(dirname "$library")" && cp -L "$library" "$1$library"; done
    tar -C "$1" -c . | docker --host "unix://$2" import --change 'CMD ["/sleep", "1000"]' - sleep`
  await run('bash', ['-euo', 'pipefail', '-c', script, 'import', root, socketPath])
}

/** Gives it an image of the daemon of the tests. */
export async function copyImage(image: string, { socketPath }: Pick<OwnDaemon, 'socketPath'>): Promise<void> {
  await run('bash', [
    '-o',
    'pipefail',
    '-c',
    'docker save "$1" | docker --host "unix://$2" load',
    'copy',
    image,
    socketPath,
  ])
}
