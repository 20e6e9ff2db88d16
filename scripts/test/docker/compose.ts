import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { docker, engineImage } from './docker.ts'

const execute = promisify(execFile)
const root = new URL('../../../', import.meta.url)
const file = fileURLToPath(new URL('docker/compose.yaml', root))
const example = readFileSync(new URL('docker/.env.example', root), 'utf8')

export type Settings = Readonly<Record<string, string>>

export interface Stack {
  url: string
  project: string
  apiKey: string
  workspaceRoot: string
  compose(...args: readonly string[]): Promise<string>
  /** The same settings but for these; they hold from the next `up` on. */
  set(settings: Settings): void
  /** Brings up these services, or those of the profiles; settles when the gateway is ready. */
  up(...args: readonly string[]): Promise<void>
}

/** The compose file with the settings of its example, but for what is given; it is taken down when the test ends. */
export async function prepareStack(t: TestContext, settings: Settings): Promise<Stack> {
  const directory = mkdtempSync(join(tmpdir(), 'compose-test-'))
  const workspaceRoot = join(directory, 'workspaces')
  mkdirSync(workspaceRoot)
  chownSync(workspaceRoot, 1000, 1000)
  const apiKey = 'a-key-for-the-test-of-compose'
  let own: Settings = {
    API_KEY: apiKey,
    OPENCODE_SERVER_PASSWORD: 'a-password-for-the-test-of-compose',
    OPENCODE_IMAGE: engineImage,
    WORKSPACE_ROOT: workspaceRoot,
    PORT: String(await freePort()),
    ...settings,
  }
  const envFile = join(directory, 'env')
  const set = (more: Settings): void => {
    own = { ...own, ...more }
    writeFileSync(envFile, envFileOf(own))
  }
  set({})
  const project = `test-${own['PORT']}`
  const compose = (...args: readonly string[]) => runCompose(own, ['-p', project, '--env-file', envFile], ...args)
  t.after(async () => {
    // Compose leaves what is of a profile that is not asked for, and a gateway that was ended hard, its containers.
    const mark = createHash('sha256').update(workspaceRoot).digest('hex').slice(0, 16)
    for (const label of [`com.docker.compose.project=${project}`, `opencode-gateway.gate=${mark}`]) {
      const left = await docker('ps', '--all', '--quiet', '--filter', `label=${label}`)
      const ids = left.stdout.split('\n').filter(Boolean)
      if (ids.length > 0) await docker('rm', '--force', '--volumes', ...ids)
    }
    await compose('down', '--volumes', '--timeout', '5')
    // The plugin leaves volumes of such profiles, too.
    const volumes = await docker('volume', 'ls', '--quiet', '--filter', `label=com.docker.compose.project=${project}`)
    for (const name of volumes.stdout.split('\n').filter(Boolean)) await docker('volume', 'rm', name)
    rmSync(directory, { recursive: true, force: true })
  })
  return {
    url: `http://127.0.0.1:${own['PORT']}`,
    project,
    apiKey,
    workspaceRoot,
    compose,
    set,
    async up(...args) {
      await compose('up', '--detach', '--no-build', ...args)
      const gateway = (await compose('ps', '-q', 'gateway')).trim()
      const isReady = async () => (await fetch(`http://127.0.0.1:${own['PORT']}/ready`).catch(() => undefined))?.ok
      while (!(await isReady())) {
        const { stdout } = await docker('inspect', '--format', '{{.State.Status}}', gateway)
        if (stdout.trim() !== 'running') throw new Error(await compose('logs', '--no-color'))
        await sleep(200, undefined, { signal: t.signal })
      }
    },
  }
}

/** Runs compose on the project's file; what the shell has set of these settings does not win over them. */
export async function runCompose(settings: Settings, where: readonly string[], ...args: readonly string[]) {
  const [name = '', ...first] = await composeCommand()
  const clean = Object.fromEntries(Object.keys(settings).map((variable) => [variable, undefined]))
  const env = { ...process.env, ...clean, EXECUTOR: undefined, COMPOSE_PROFILES: undefined }
  const options = { env, timeout: 120_000, maxBuffer: 16 * 1024 * 1024 }
  return (await execute(name, [...first, '-f', file, ...where, ...args], options)).stdout
}

/** The example with these settings; one that the example leaves out stands at its end. */
export function envFileOf(settings: Settings): string {
  return Object.entries(settings).reduce((text, [name, value]) => {
    const line = new RegExp(`^#?${name}=.*$`, 'm')
    return line.test(text) ? text.replace(line, () => `${name}=${value}`) : `${text}${name}=${value}\n`
  }, example)
}

/** The plugin of the docker command line, or the program it took the place of. */
export async function composeCommand(): Promise<readonly string[]> {
  const { code } = await docker('compose', 'version')
  return code === 0 ? ['docker', 'compose'] : ['docker-compose']
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return address.port
}
