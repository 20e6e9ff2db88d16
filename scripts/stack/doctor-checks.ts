import { execFile } from 'node:child_process'
import { access, constants, stat, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { totalmem } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

export interface Finding {
  /** `missing` is needed; `careful` is not, but somebody should know. */
  state: 'ok' | 'careful' | 'missing'
  seen: string
  fix?: string
}

export type Environment = Readonly<Record<string, string | undefined>>
export type Check = (env: Environment) => Promise<Finding>

const execute = promisify(execFile)
const GIB = 1024 ** 3
const isDockerMode = (env: Environment): boolean =>
  env['EXECUTOR'] === 'docker' || env['OPENCODE_SERVER_ENABLED'] === 'false'
const isEmbedded = (env: Environment): boolean => !isDockerMode(env) && !env['OPENCODE_SERVER_URL']
const ok = (seen: string): Finding => ({ state: 'ok', seen })
const careful = (seen: string, fix: string): Finding => ({ state: 'careful', seen, fix })
const missing = (seen: string, fix: string): Finding => ({ state: 'missing', seen, fix })

/** In the order they are shown. */
export const checks: Readonly<Record<string, Check>> = {
  node: async () => {
    const [major = 0] = process.versions.node.split('.').map(Number)
    return major >= 24
      ? ok(process.versions.node)
      : missing(process.versions.node, 'run it with Node 24, or by npm, which fetches it')
  },
  git: () => program('git', ['--version'], 'install git'),
  ripgrep: async (env) =>
    isEmbedded(env) ? program('rg', ['--version'], 'install ripgrep') : ok('is in the engine image'),
  memory: async () => {
    const seen = `${(totalmem() / GIB).toFixed(1)} GiB`
    return totalmem() >= 2 * GIB
      ? ok(seen)
      : careful(seen, 'an engine takes about 600 MiB at its first prompts; give it 2 GiB')
  },
  workspaces: workspaceRoot,
  disk: async (env) => {
    const { bavail, bsize } = await statfs(await nearest(env['WORKSPACE_ROOT'] || env['DATA_DIR'] || process.cwd()))
    const seen = `${((bavail * bsize) / GIB).toFixed(1)} GiB free for workspaces`
    return bavail * bsize >= 5 * GIB ? ok(seen) : careful(seen, 'a workspace may grow to WORKSPACE_MAX_BYTES (5 GiB)')
  },
  port: async (env) => {
    const port = Number(env['PORT'] || 8080)
    return (await isFree(port))
      ? ok(`${port} is free`)
      : careful(`${port} is taken`, 'set PORT, or end what listens there')
  },
  key: async (env) => {
    if (env['API_KEY'] || env['API_KEYS_FILE'] || env['OPENCODE_SHARED_SECRET']) return ok('clients need one')
    return careful('none', 'without API_KEY only clients of this machine are served')
  },
  docker,
  image,
}

async function workspaceRoot(env: Environment): Promise<Finding> {
  const directory = env['WORKSPACE_ROOT']
  if (!directory) {
    if (isDockerMode(env)) return careful('WORKSPACE_ROOT is not set', 'the daemon has to see it under the same path')
    return ok('below DATA_DIR')
  }
  if (!path.isAbsolute(directory))
    return missing(`"${directory}" is relative`, 'set WORKSPACE_ROOT to an absolute path')
  const found = await stat(directory).catch(() => undefined)
  if (!found?.isDirectory())
    return missing(`"${directory}" is no directory`, `sudo install -d -o 1000 -g 1000 -m 0700 "${directory}"`)
  const inside = await execute('git', ['-C', directory, 'rev-parse', '--show-toplevel']).catch(() => undefined)
  if (inside)
    return missing(
      `"${directory}" is in the checkout ${inside.stdout.trim()}`,
      'an engine would take that for the project',
    )
  const writable = await access(directory, constants.W_OK).then(
    () => true,
    () => false,
  )
  return writable ? ok(directory) : missing(`"${directory}" cannot be written`, 'give it to the user of the gateway')
}

async function docker(env: Environment): Promise<Finding> {
  if (!isDockerMode(env)) return ok('is not needed with EXECUTOR=server')
  try {
    const { stdout } = await execute('docker', [
      'version',
      '--format',
      '{{.Server.Version}} (API {{.Server.APIVersion}})',
    ])
    return ok(stdout.trim())
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n').slice(0, 2).join(' ') : String(error)
    if (/ENOENT/.test(why)) return missing('there is no docker program', 'install Docker, or use EXECUTOR=server')
    if (/permission denied/i.test(why))
      return missing(why, 'put the user into the group of the socket: stat -c %G /var/run/docker.sock')
    return missing(why, 'start the Docker daemon, or set DOCKER_HOST to where it listens')
  }
}

async function image(env: Environment): Promise<Finding> {
  if (!isDockerMode(env)) return ok('is not needed with EXECUTOR=server')
  const reference = env['OPENCODE_IMAGE']
  if (!reference)
    return missing('OPENCODE_IMAGE is not set', 'scripts/docker/engine-image.sh builds one and says its name')
  const found = await execute('docker', ['image', 'inspect', '--format', '{{.Id}}', reference]).catch(() => undefined)
  if (!found)
    return missing(`${reference} is not in the daemon`, `docker pull ${reference}, or scripts/docker/engine-image.sh`)
  if (/(?:^|@)sha256:[0-9a-f]{64}$/.test(reference)) return ok(reference)
  return careful(`${reference} can come to mean another image`, `set OPENCODE_IMAGE=${found.stdout.trim()}`)
}

async function program(name: string, args: readonly string[], fix: string): Promise<Finding> {
  const found = await execute(name, [...args]).catch(() => undefined)
  return found ? ok(found.stdout.split('\n')[0] ?? '') : missing(`there is no ${name} program`, fix)
}

async function nearest(directory: string): Promise<string> {
  const found = await stat(directory).catch(() => undefined)
  return found || path.dirname(directory) === directory ? directory : await nearest(path.dirname(directory))
}

async function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const server = createServer()
  server.once('error', () => resolve(false))
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  return await promise
}
