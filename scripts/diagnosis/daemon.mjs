import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { careful, isDockerMode, missing, ok } from './finding.mjs'

/** @typedef {import('./finding.mjs').Check} Check */
/** @typedef {import('./finding.mjs').Environment} Environment */
/** @typedef {import('./finding.mjs').Finding} Finding */

/** Why is told once. */
const NOT_ASKED = careful('not looked at: the daemon cannot be asked', 'see to docker first')
const NOT_NEEDED = ok('is not needed with EXECUTOR=server')
const ANSWERS_WITHIN_MS = 5000
/** API of Docker 20.10, the oldest it is tested with. */
const OLDEST_API = 1.41
const PINNED = /(?:^|@)sha256:[0-9a-f]{64}$/

/** The Docker daemon, asked as the gateway asks it: at its socket, without the docker program. @type {Check} */
export async function docker(env) {
  if (!isDockerMode(env)) return NOT_NEEDED
  try {
    const { Version, ApiVersion, Os } = await ask(env, '/version')
    if (Os !== 'linux') return missing(`the daemon runs ${String(Os)} containers`, 'switch it to Linux containers')
    if (Number(ApiVersion) < OLDEST_API) return careful(`${Version} is old`, 'update it to Docker 20.10 or newer')
    return ok(`${Version} (API ${ApiVersion})`)
  } catch (error) {
    return unreachable(error)
  }
}

/** Whether the daemon enforces what a container is limited by. @type {Check} */
export async function limits(env) {
  if (!isDockerMode(env)) return NOT_NEEDED
  try {
    const found = await ask(env, '/info')
    const { MemoryLimit, PidsLimit, CpuCfsQuota, SecurityOptions, Runtimes, CgroupVersion, OperatingSystem } = found
    const lacking = Object.entries({ memory: MemoryLimit, processes: PidsLimit, processors: CpuCfsQuota })
      .filter(([, enforced]) => enforced === false)
      .map(([name]) => name)
    const runtime = env['DOCKER_RUNTIME']
    if (lacking.length > 0)
      return missing(
        `limits of ${lacking.join(' and ')} are not enforced (cgroup v${CgroupVersion})`,
        'give the daemon these cgroup controllers: boot with cgroup_enable=memory, or delegate them to a rootless daemon',
      )
    if (runtime && !(runtime in Object(Runtimes)))
      return missing(`the daemon has no runtime "${runtime}"`, 'install it, or leave DOCKER_RUNTIME away')
    if (!String(SecurityOptions).includes('name=seccomp'))
      return careful('no seccomp: agents may make any system call', 'use a kernel and a daemon with seccomp')
    if (OperatingSystem === 'Docker Desktop')
      return careful('Docker Desktop', 'share WORKSPACE_ROOT with it under the same path')
    return ok(`memory, processes, processors (cgroup v${CgroupVersion}), seccomp`)
  } catch {
    return NOT_ASKED
  }
}

/** @type {Check} */
export async function image(env) {
  if (!isDockerMode(env)) return NOT_NEEDED
  const wanted = await wantedVersion()
  const reference = env['OPENCODE_IMAGE'] || `opencode-engine:${wanted}`
  const build = 'scripts/docker/engine-image.sh builds one and says its name'
  try {
    const { Id, Config } = await ask(env, `/images/${reference}/json`)
    const version = Object(Config).Labels?.['org.opencontainers.image.version']
    if (version !== undefined && version !== wanted)
      return missing(`${reference} is OpenCode ${version}, not ${wanted}`, build)
    if (PINNED.test(reference)) return ok(reference)
    return careful(`${reference} can come to mean another image`, `set OPENCODE_IMAGE=${String(Id)}`)
  } catch (error) {
    if (Object(error).status !== 404) return NOT_ASKED
    return missing(
      `${reference} is not in the daemon`,
      env['OPENCODE_IMAGE'] ? `docker pull ${reference}, or ${build}` : build,
    )
  }
}

/** @param {unknown} error @returns {Finding} */
export function unreachable(error) {
  const { code, address, message } = Object(error)
  const where = address ?? 'the address of DOCKER_HOST'
  if (code === 'ENOENT')
    return missing(`${where} is not there`, 'install and start Docker, set DOCKER_HOST, or use EXECUTOR=server')
  if (code === 'EACCES' || code === 'EPERM')
    return missing(
      `no permission for ${where}`,
      `put the user into the group of the socket: sudo usermod -aG "$(stat -c %G ${where})" "$USER", and log in again`,
    )
  if (code === 'ECONNREFUSED' || code === 'ENOTSOCK')
    return missing(`nothing listens on ${where}`, 'start the Docker daemon, or set DOCKER_HOST to where it listens')
  if (code === 'ETIMEDOUT')
    return missing(`the daemon does not answer within ${ANSWERS_WITHIN_MS / 1000} s`, 'look at its log, and restart it')
  return missing(
    `the daemon does not answer as one: ${String(message)}`,
    'set DOCKER_HOST to the address of a Docker daemon',
  )
}

/**
 * @param {Environment} env
 * @param {string} path
 * @returns {Promise<Record<string, any>>}
 */
async function ask(env, path) {
  const host = env['DOCKER_HOST'] || 'unix:///var/run/docker.sock'
  const [, socketPath] = /^unix:\/\/(\/.+)$/.exec(host) ?? []
  const [, hostname, port] = /^(?:tcp|http):\/\/([^/:]+):(\d+)\/?$/.exec(host) ?? []
  if (socketPath === undefined && hostname === undefined)
    throw new Error(`DOCKER_HOST is "${host}"; expected "unix:///path" or "tcp://host:port"`)
  const where = socketPath === undefined ? { hostname, port } : { socketPath }
  const signal = AbortSignal.timeout(ANSWERS_WITHIN_MS)
  try {
    const response = await new Promise((resolve, reject) => {
      request({ ...where, path, signal, headers: { host: 'docker' } }, resolve)
        .once('error', reject)
        .end()
    })
    const body = await text(response)
    if (response.statusCode !== 200)
      throw Object.assign(new Error(`${path} is answered with ${response.statusCode}`), { status: response.statusCode })
    return Object(JSON.parse(body))
  } catch (error) {
    throw signal.aborted ? Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }) : error
  }
}

/** The engine this checkout speaks to. */
async function wantedVersion() {
  const catalog = await readFile(new URL('../../pnpm-workspace.yaml', import.meta.url), 'utf8')
  return /^ {2}opencode-ai: (.+)$/m.exec(catalog)?.[1]
}
