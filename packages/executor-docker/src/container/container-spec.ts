import { inside } from './inside.ts'
import type { ContainerLimits, ContainerUser } from '../options.ts'
import type { PlaceDirectories } from '../session-place.ts'

export interface ContainerSpecOptions {
  image: string
  user: ContainerUser
  network: string
  runtime: string | undefined
  limits: ContainerLimits
  /** Which gateway's it is. */
  owner: string
  sessionId: string
  /** Greater for every later container of the session. */
  epoch: number
  directories: PlaceDirectories
  environment: Readonly<Record<string, string>>
}

/** Labels of our containers. */
export const labels = {
  owner: 'opencode-gateway.owner',
  session: 'opencode-gateway.session',
  epoch: 'opencode-gateway.epoch',
} as const

/** The one name a session's container can have: the daemon itself sees to it that there are no two. */
export function containerName(owner: string, sessionId: string): string {
  return `opencode-gateway-${owner.slice(0, 12)}-${sessionId}`
}

export function isOwned(found: Readonly<Record<string, string>>, owner: string): boolean {
  return found[labels.owner] === owner
}

/** What the daemon is to make of a session: everything that is not needed is taken away. */
export function containerSpec(options: ContainerSpecOptions) {
  const { user, limits, directories, runtime } = options
  return {
    Image: options.image,
    User: `${user.uid}:${user.gid}`,
    WorkingDir: inside.workspace,
    Env: Object.entries(options.environment).map(([name, value]) => `${name}=${value}`),
    Labels: {
      [labels.owner]: options.owner,
      [labels.session]: options.sessionId,
      [labels.epoch]: String(options.epoch),
    },
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    HostConfig: {
      NetworkMode: options.network,
      ...(runtime === undefined ? {} : { Runtime: runtime }),
      // The engine alone ignores SIGTERM and keeps what its tools leave as zombies.
      Init: true,
      Privileged: false,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      ReadonlyRootfs: true,
      IpcMode: 'private',
      Tmpfs: { '/tmp': `rw,exec,nosuid,nodev,size=${limits.tmpBytes},mode=1777` },
      // Not Binds: those make a directory of root's on the host out of a path that is not there.
      Mounts: [
        bind(directories.workspace, inside.workspace),
        bind(directories.home, inside.home),
        bind(directories.shell, inside.shell),
        bind(directories.sockets, inside.sockets),
        { ...bind(directories.models, inside.models), ReadOnly: true },
      ],
      Memory: limits.memoryBytes,
      // The same as the memory: no swap.
      MemorySwap: limits.memoryBytes,
      NanoCpus: Math.round(limits.cpus * 1e9),
      PidsLimit: limits.pids,
      Ulimits: [
        { Name: 'nofile', Soft: limits.openFiles, Hard: limits.openFiles },
        { Name: 'core', Soft: 0, Hard: 0 },
      ],
      LogConfig: { Type: 'json-file', Config: { 'max-size': String(limits.logBytes), 'max-file': '1' } },
      RestartPolicy: { Name: 'no' },
    },
  }
}

export type ContainerBody = ReturnType<typeof containerSpec>

function bind(source: string, target: string): { Type: 'bind'; Source: string; Target: string; ReadOnly: boolean } {
  return { Type: 'bind', Source: source, Target: target, ReadOnly: false }
}
