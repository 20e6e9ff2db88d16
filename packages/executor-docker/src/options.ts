import type { Log, PermissionRules } from '@opencode-gateway/contracts'
import type { Catalogue, EngineConfig, EngineLimits } from '@opencode-gateway/opencode'
import type { WorkspacesOptions } from '@opencode-gateway/workspaces'

/** Where the Docker daemon, or a gate before it, listens. */
export type DaemonAddress = { socketPath: string } | { host: string; port: number }

/** Whom the container runs as, and whom its half of the session's directories belongs to. */
export interface ContainerUser {
  uid: number
  gid: number
}

/** What one container may use at most. */
export interface ContainerLimits {
  memoryBytes: number
  /** Processors' worth of time; 0.5 is half of one. */
  cpus: number
  /** Processes and threads. */
  pids: number
  /** Of `/tmp`, which counts as memory. */
  tmpBytes: number
  openFiles: number
  /** Of the engine's own log, which the daemon keeps. */
  logBytes: number
}

/** A way of one session out of its container. */
export interface SessionSocket {
  close(): Promise<void>
}

/**
 * Listens on a socket that one container alone can reach: whatever connects to it is this session, and can be nobody
 * else. The path may be one below `/proc/self`, valid until `close`.
 */
export type OpenSocket = (sessionId: string, socketPath: string, signal: AbortSignal) => Promise<SessionSocket>

/** The same to other hosts; only to these of them, where a session says so. */
export type OpenEgress = (
  sessionId: string,
  socketPath: string,
  only: readonly string[] | undefined,
) => Promise<SessionSocket>

export interface DockerExecutorOptions {
  /** Every session has a directory below it. The daemon sees it under the same path. */
  workspaceRoot: string
  /** What workspaces can do besides holding files. */
  workspaces?: Omit<WorkspacesOptions, 'directories'>
  log: Log
  daemon: DaemonAddress
  /** With the entry point of our engine image. */
  image: string
  /** `missing`: an image that is not there is pulled at the start. */
  pull?: 'never' | 'missing'
  /** `none` unless given: the sockets are the only ways out and in. Another one is reachable besides them. */
  network?: string
  /** Of the daemon, such as `runsc`; its default unless given. */
  runtime?: string
  /** Uid and gid 1000 where we are root, else our own. */
  user?: ContainerUser
  limits?: Partial<ContainerLimits>
  /** The operator's configuration of the engine, without a secret: its agents can read all it has. */
  config?: EngineConfig
  /** Providers that `openModels` leads to, each below `/<name>`. */
  providers?: readonly string[]
  openModels: OpenSocket
  /** Leads on to other hosts, as an HTTP proxy; containers have no way to any unless given. */
  openEgress?: OpenEgress | undefined
  /** Told once after the start what the engine knows of the providers of its catalogue: prices, where it has them. */
  onCatalogue?(catalogue: Catalogue): void
  /** What agents may do at most, whatever a request says; `unattended` unless given. */
  permissions?: PermissionRules
  /** How long a cancel may take, the end of a container included that does not obey; 10 s unless given. */
  cancelGraceMs?: number
  /** Containers that may be started at the same time, the others wait for their turn; no bound unless given. */
  maxStarts?: number
  /** How long a container may take to be ready, once it is its turn. */
  startTimeoutMs?: number
  /** How long the daemon may take to answer. */
  daemonTimeoutMs?: number
  /** A container without work is ended after so long; the next run starts another one. */
  idleTimeoutMs?: number
  /** How long an engine without work may take to say that it is well before it gets some; 20 s unless given. */
  healthTimeoutMs?: number
  /** How long it is taken for well after it was; 1 s unless given. */
  healthFreshMs?: number
  /** Containers there may be at the same time; no bound unless given. The oldest one without work makes room. */
  maxContainers?: number
  /** How long a session waits while all of them work; 30 s unless given. */
  containerWaitMs?: number
  /** Containers that are started before a session asks for one; none unless given. */
  warmPool?: { size: number; parallel?: number; maxAgeMs?: number; tendMs?: number }
  engineLimits?: Partial<EngineLimits>
}

export const defaultLimits: ContainerLimits = {
  memoryBytes: 1024 ** 3,
  cpus: 1,
  pids: 256,
  tmpBytes: 256 * 1024 ** 2,
  openFiles: 4096,
  logBytes: 1024 ** 2,
}

export const defaultWarmPool = { size: 0, parallel: 1, maxAgeMs: 3_600_000, tendMs: 30_000 }

/**
 * An agent can put a server of its own in the place of its engine: what that answers is held in the gateway's memory,
 * several times its size. A true engine was seen to send frames of 5 MB for an answer as long.
 */
export const containedLimits = {
  maxAnswerBytes: 16 * 1024 ** 2,
  maxFrame: 8 * 1024 ** 2,
} as const satisfies Partial<EngineLimits>
