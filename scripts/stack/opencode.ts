// The engine alone, from its image.
//   opencode up      starts it and waits until it answers
//   opencode down    ends it; its conversations stay in the volume opencode-engine-home
//   opencode logs    what it wrote; more arguments are those of `docker logs`
// OPENCODE_IMAGE names the image by its digest (by a tag only with NODE_ENV=development), OPENCODE_SERVER_PASSWORD the
// password, OPENCODE_PORT the port on this machine (4096), WORKSPACE_ROOT the directory it works in (a directory of uid 1000).
import { spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { engineSettings, runArguments, type EngineSettings } from './engine-settings.ts'

const NAME = process.env['OPENCODE_CONTAINER'] || 'opencode-engine'
const READY_WITHIN_MS = 60_000
const ATTEMPT_MS = 2_000
const EX_USAGE = 64
const EX_CONFIG = 78

const [command, ...rest] = process.argv.slice(2)
process.exitCode = await main()

async function main(): Promise<number> {
  if (command === 'up') return await up()
  if (command === 'down') return await docker('rm', '--force', NAME)
  if (command === 'logs') return await docker('logs', ...rest, NAME)
  console.error('usage: opencode up|down|logs')
  return EX_USAGE
}

async function up(): Promise<number> {
  const { settings, problems } = engineSettings(
    process.env,
    (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false,
  )
  if (problems.length > 0) {
    for (const problem of problems) console.error(`opencode: ${problem}`)
    return EX_CONFIG
  }
  const started = await docker(...runArguments(NAME, settings))
  if (started !== 0) return started
  if (await answers(settings)) {
    console.log(`opencode: the engine answers at http://127.0.0.1:${settings.port}`)
    return 0
  }
  console.error(`opencode: the engine did not answer within ${READY_WITHIN_MS / 1000} s. The end of its log:`)
  await docker('logs', '--tail', '20', NAME)
  await docker('rm', '--force', NAME)
  return 1
}

async function answers({ port }: EngineSettings): Promise<boolean> {
  const deadline = performance.now() + READY_WITHIN_MS
  const check = fileURLToPath(new URL('../healthcheck', import.meta.url))
  const where = ['--baseUrl', `http://127.0.0.1:${port}`, '--timeout', String(ATTEMPT_MS)]
  while (performance.now() < deadline) {
    if ((await run(check, where, 'ignore')) === 0) return true
    await sleep(100)
  }
  return false
}

function docker(...args: readonly string[]): Promise<number> {
  return run('docker', args, 'inherit')
}

async function run(program: string, args: readonly string[], output: 'inherit' | 'ignore'): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const child = spawn(program, args, { stdio: ['ignore', output, output] })
  child.once('error', (error) => {
    console.error(`opencode: ${program} cannot be run: ${error.message}`)
    resolve(127)
  })
  child.once('close', (code) => resolve(code ?? 1))
  return await promise
}
