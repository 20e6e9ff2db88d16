import { execFile } from 'node:child_process'
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

export interface Stack {
  url: string
  apiKey: string
  workspaceRoot: string
  compose(...args: readonly string[]): Promise<string>
}

/** The compose file with the settings of its example, but for what is given; it is taken down when the test ends. */
export async function startStack(t: TestContext, settings: Readonly<Record<string, string>>): Promise<Stack> {
  const directory = mkdtempSync(join(tmpdir(), 'compose-test-'))
  const workspaceRoot = join(directory, 'workspaces')
  mkdirSync(workspaceRoot)
  chownSync(workspaceRoot, 1000, 1000)
  const apiKey = 'a-key-for-the-test-of-compose'
  const own = {
    API_KEY: apiKey,
    OPENCODE_SERVER_PASSWORD: 'a-password-for-the-test-of-compose',
    OPENCODE_IMAGE: engineImage,
    WORKSPACE_ROOT: workspaceRoot,
    PORT: String(await freePort()),
    ...settings,
  }
  const example = readFileSync(new URL('docker/.env.example', root), 'utf8')
  const file = join(directory, 'env')
  writeFileSync(file, Object.entries(own).reduce(withSetting, example))
  const project = `test-${own.PORT}`
  const command = await composeCommand()
  const compose = async (...args: readonly string[]): Promise<string> => {
    const [name = '', ...first] = command
    const where = ['-p', project, '-f', fileURLToPath(new URL('docker/compose.yaml', root)), '--env-file', file]
    // What the shell has set would win over the file.
    const clean = Object.fromEntries(Object.keys(own).map((variable) => [variable, undefined]))
    const env = { ...process.env, ...clean, EXECUTOR: undefined, COMPOSE_PROFILES: undefined }
    return (await execute(name, [...first, ...where, ...args], { env, timeout: 120_000 })).stdout
  }
  t.after(async () => {
    await compose('down', '--volumes', '--timeout', '5')
    rmSync(directory, { recursive: true, force: true })
  })
  await compose('up', '--detach', '--no-build')
  const gateway = (await compose('ps', '-q', 'gateway')).trim()
  for (;;) {
    const { stdout } = await docker('inspect', '--format', '{{.State.Status}} {{.State.Health.Status}}', gateway)
    if (stdout.trim() === 'running healthy') break
    if (!stdout.startsWith('running')) throw new Error(await compose('logs', '--no-color'))
    await sleep(200, undefined, { signal: t.signal })
  }
  return { url: `http://127.0.0.1:${own.PORT}`, apiKey, workspaceRoot, compose }
}

function withSetting(text: string, [name, value]: readonly [string, string]): string {
  const line = new RegExp(`^${name}=.*$`, 'm')
  if (!line.test(text)) throw new Error(`docker/.env.example has no ${name}`)
  return text.replace(line, `${name}=${value}`)
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
