import { execFile } from 'node:child_process'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Stack } from './compose.ts'

const execute = promisify(execFile)
const smokeScript = fileURLToPath(new URL('../../stack/smoke.ts', import.meta.url))
const soakScript = fileURLToPath(new URL('../../stack/soak.ts', import.meta.url))

/** Names of the steps that were right. */
export async function smoke(t: TestContext, { url, apiKey }: Stack): Promise<readonly string[]> {
  const env = { ...process.env, API_KEY: apiKey }
  const { stdout } = await execute(process.execPath, [smokeScript, '--baseUrl', url, '--timeout', '200000'], {
    env,
    signal: t.signal,
  })
  t.diagnostic(stdout.replaceAll(/^ok +/gm, '').trim().split('\n').join(', '))
  return [...stdout.matchAll(/^ok +(.+) \(\d+ ms\)$/gm)].map(([, name = '']) => name)
}

/** Its report. */
export async function soak(t: TestContext, { url, apiKey }: Stack, args: readonly string[]) {
  const env = { ...process.env, API_KEY: apiKey }
  const command = [soakScript, '--baseUrl', url, '--timeout', '200000', ...args]
  const { stdout } = await execute(process.execPath, command, { env, signal: t.signal }).catch((error: Error) => {
    throw new Error(`soak: ${'stdout' in error ? String(error.stdout) : error.message}`)
  })
  return JSON.parse(stdout)
}
