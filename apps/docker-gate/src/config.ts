import { createHash } from 'node:crypto'
import path from 'node:path'

/** A file or a port. */
export type Address = { socketPath: string } | { host: string; port: number }

/** What one container may have at most. */
export interface Bounds {
  memoryBytes: number
  cpus: number
  pids: number
  /** At the same time. */
  containers: number
}

export interface GateConfig {
  /** The daemon. */
  daemon: Address
  /** Where the gate listens. */
  listen: Address
  /** The one image that containers are made of. */
  image: string
  /** Everything that is mounted is strictly below it. */
  workspaceRoot: string
  /** Whom all containers run as, "uid:gid". */
  user: string
  /** Networks besides `none`. */
  networks: readonly string[]
  runtimes: readonly string[]
  /** On every container that came through this gate; it touches no other. */
  mark: string
  bounds: Bounds
  /** To the daemon, at the same time: a container that runs takes one. */
  connections: number
}

/** Besides those of the containers. */
const SPARE_CONNECTIONS = 16

type Environment = Readonly<Record<string, string | undefined>>

export function readProcessEnv(): GateConfig {
  return readConfig(process.env)
}

/** Throws with every problem, one per line. */
export function readConfig(env: Environment): GateConfig {
  const problems: string[] = []
  const given = (name: string) => env[name]?.trim() || undefined
  const required = (name: string, expected: string): string => {
    const value = given(name)
    if (value === undefined) problems.push(`${name} is not set; expected ${expected}`)
    return value ?? ''
  }
  const address = (name: string, fallback: string): Address => {
    const value = given(name) ?? fallback
    const read = readAddress(value)
    if (!read) problems.push(`${name} is "${value}"; expected "unix:///path" or "tcp://host:port"`)
    return read ?? { socketPath: '' }
  }
  const bound = (name: string, fallback: number, least: number): number => {
    const value = Number(given(name) ?? fallback)
    if (!Number.isFinite(value) || value < least)
      problems.push(`${name} is "${env[name]}"; expected a number from ${least} on`)
    return value
  }
  const names = (name: string) =>
    (given(name) ?? '')
      .split(',')
      .map((text) => text.trim())
      .filter(Boolean)

  const workspaceRoot = required('WORKSPACE_ROOT', 'the directory that holds all workspaces')
  if (workspaceRoot !== '' && (!path.isAbsolute(workspaceRoot) || path.normalize(workspaceRoot) === '/'))
    problems.push(`WORKSPACE_ROOT is "${workspaceRoot}"; expected an absolute path below /`)
  const networks = names('DOCKER_NETWORK')
  for (const network of networks)
    if (network === 'host' || network.includes(':'))
      problems.push(`DOCKER_NETWORK has "${network}"; expected the name of a network`)
  const [, uid = '', gid = uid] = /^(\d{1,9})(?::(\d{1,9}))?$/.exec(given('DOCKER_USER') ?? '1000:1000') ?? []
  if (!(Number(uid) > 0 && Number(gid) > 0))
    problems.push(
      `DOCKER_USER is "${env['DOCKER_USER']}"; expected a uid, or uid:gid, of numbers; never 0, which is root`,
    )
  const containers = bound('GATE_MAX_CONTAINERS', 200, 1)
  const least = containers + SPARE_CONNECTIONS
  const config: GateConfig = {
    daemon: address('DOCKER_HOST', 'unix:///var/run/docker.sock'),
    listen: address('LISTEN', 'unix:///run/docker-gate/docker.sock'),
    image: required('OPENCODE_IMAGE', 'the engine image, best as "name@sha256:…"'),
    workspaceRoot: path.normalize(workspaceRoot),
    user: `${Number(uid)}:${Number(gid)}`,
    networks: networks.filter((network) => network !== 'none'),
    runtimes: names('DOCKER_RUNTIME'),
    mark: given('GATE_MARK') ?? createHash('sha256').update(path.normalize(workspaceRoot)).digest('hex').slice(0, 16),
    bounds: {
      memoryBytes: bound('GATE_MAX_MEMORY_BYTES', 4 * 1024 ** 3, 64 * 1024 ** 2),
      cpus: bound('GATE_MAX_CPUS', 4, 0.01),
      pids: bound('GATE_MAX_PIDS', 4096, 16),
      containers,
    },
    connections: bound('GATE_MAX_CONNECTIONS', Math.max(256, 2 * containers), least),
  }
  if (problems.length > 0) throw new Error(problems.join('\n'))
  return Object.freeze(config)
}

function readAddress(text: string): Address | undefined {
  const socketPath = /^unix:\/\/(\/.+)$/.exec(text)?.[1]
  if (socketPath !== undefined) return { socketPath }
  const [, host, port] = /^tcp:\/\/([\w.-]+):(\d{1,5})$/.exec(text) ?? []
  return host === undefined ? undefined : { host, port: Number(port) }
}
