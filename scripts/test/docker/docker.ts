import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { TestContext } from 'node:test'

const execute = promisify(execFile)
const require = JSON.parse(
  readFileSync(new URL('../../node_modules/opencode-ai/package.json', import.meta.url), 'utf8'),
)

/** The version of the engine that the images are to have. */
export const engineVersion: string = require.version
/** What `scripts/docker/images.sh` makes. */
export const engineImage = `opencode-engine:${engineVersion}`
export const fullEngineImage = `${engineImage}-full`
export const gatewayImage = 'opencode-gateway:latest'
export const gateImage = 'opencode-gateway-docker-gate:latest'
/** In place of images of others, from `scripts/docker/stand-ins`. */
export const standIns = {
  caddy: 'stand-in-caddy:latest',
  nginx: 'stand-in-nginx:latest',
  prometheus: 'stand-in-prometheus:latest',
}

export interface Ended {
  code: number
  stdout: string
  stderr: string
}

/** Runs the docker command line; settles whatever its exit code is. */
export async function docker(...args: readonly string[]): Promise<Ended> {
  try {
    const { stdout, stderr } = await execute('docker', args, { maxBuffer: 64 * 1024 * 1024, timeout: 120_000 })
    return { code: 0, stdout, stderr }
  } catch (error) {
    if (
      error instanceof Error &&
      'code' in error &&
      typeof error.code === 'number' &&
      'stdout' in error &&
      'stderr' in error
    )
      return { code: error.code, stdout: String(error.stdout), stderr: String(error.stderr) }
    throw error
  }
}

/** Why tests with this image cannot run here, or false. Where images are still being made, the end of that is waited for. */
export async function missing(image: string): Promise<string | false> {
  const maker = Number(process.env['IMAGES_MADE_BY'])
  while (maker > 0 && isRunning(maker)) await sleep(500)
  const { code, stderr } = await docker('image', 'inspect', image).catch((error: Error) => ({
    code: 1,
    stderr: error.message,
  }))
  return code === 0 ? false : `${stderr.trim()}; see scripts/docker`
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** A container that runs until the test ends; `args` are those of `docker run`. */
export async function startContainer(t: TestContext, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await docker('run', '--detach', ...args)
  if (code !== 0) throw new Error(`docker run failed: ${stderr}`)
  const id = stdout.trim()
  t.after(() => docker('rm', '--force', '--volumes', id))
  return id
}

/** Waits until the container has ended and settles with its exit code. */
export async function exitCode(id: string): Promise<number> {
  return Number((await docker('wait', id)).stdout.trim())
}
