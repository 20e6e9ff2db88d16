// For the build of the gateway's images: runs their programs as their containers will, so that Node keeps what it makes
// of them where it will look for it, and writes a launcher for each. As the user of the containers: it is kept by user.
//   compile.mjs <root> <directory for the launchers>
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { leanCommand } from '../toolchain/gateway-command.mjs'

const LAUNCHERS = {
  'opencode-gateway': 'apps/gateway/src/server.ts',
  'docker-gate': 'apps/docker-gate/src/server.ts',
}
const DEADLINE_MS = 120_000

const [root = '', launchers = ''] = process.argv.slice(2)
const work = mkdtempSync(join(tmpdir(), 'compile-'))
const ready = 'http://127.0.0.1:8080/ready'
const daemon = `unix://${join(work, 'no-daemon.sock')}`
const gate = { DOCKER_HOST: daemon, LISTEN: `unix://${join(work, 'gate.sock')}`, OPENCODE_IMAGE: 'none' }
const gateway = { DATA_DIR: work, API_KEY: 'a-key-of-the-build', OPENCODE_SERVER_URL: 'http://127.0.0.1:9' }

// Nothing is behind them, which keeps none from listening, answering and ending in order.
for (const EXECUTOR of ['server', 'docker'])
  await serving(LAUNCHERS['opencode-gateway'], { ...gateway, EXECUTOR, DOCKER_HOST: daemon }, async () => {
    await (await fetch(ready, { signal: AbortSignal.timeout(DEADLINE_MS) })).text()
  })
await serving(LAUNCHERS['docker-gate'], { ...gate, WORKSPACE_ROOT: work }, async () => {
  const [answer] = await once(
    request({ socketPath: gate.LISTEN.slice('unix://'.length), path: '/_ping' }).end(),
    'response',
  )
  answer.resume()
})
// A thread of the gateway's, which begins with the first workspace.
await run('packages/workspaces/src/snapshot/thread-entry.ts', {})
rmSync(work, { recursive: true, force: true })

mkdirSync(launchers, { recursive: true })
for (const [name, program] of Object.entries(LAUNCHERS)) {
  const { flags, entry, env } = leanCommand({ root, entry: program })
  const variables = Object.entries(env).map(([variable, value]) => `${variable}='${value}'`)
  const script = `#!/bin/sh\nexport ${variables.join(' ')}\nexec node ${flags.join(' ')} ${entry} "$@"\n`
  writeFileSync(join(launchers, name), script)
  chmodSync(join(launchers, name), 0o755)
}

/**
 * Runs a program until it listens and `meanwhile` is done, then has it end.
 *
 * @param {string} program
 * @param {NodeJS.ProcessEnv} settings
 * @param {() => Promise<void>} meanwhile
 */
async function serving(program, settings, meanwhile) {
  const child = start(program, settings, [])
  const ended = once(child, 'close')
  for await (const line of createInterface({ input: child.stdout })) {
    if (/listening/i.test(line)) break
  }
  // Who reads lines no more has paused it.
  child.stdout.resume()
  await meanwhile()
  child.kill('SIGTERM')
  const [code] = await ended
  if (code !== 0) throw new Error(`${program} ended with ${String(code)}`)
}

/**
 * Runs a program to its end, whatever that is.
 *
 * @param {string} program
 * @param {NodeJS.ProcessEnv} settings
 * @param {readonly string[]} [args]
 */
async function run(program, settings, args = []) {
  const child = start(program, settings, args)
  child.stdout.resume()
  await once(child, 'close')
}

/**
 * @param {string} program
 * @param {NodeJS.ProcessEnv} settings
 * @param {readonly string[]} args
 */
function start(program, settings, args) {
  const { flags, entry, env } = leanCommand({ root, entry: program })
  return spawn(process.execPath, [...flags, entry, ...args], {
    env: { PATH: process.env['PATH'], HOME: work, ...env, ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
    signal: AbortSignal.timeout(DEADLINE_MS),
  })
}
