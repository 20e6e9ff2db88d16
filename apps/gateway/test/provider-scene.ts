import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { readKeysFile } from '../src/config/api-keys.ts'
import { startGateway, type Gateway } from './gateway.ts'

export const LIMIT = { timeout: 30_000 }
const keyText = (first: number) =>
  Buffer.from(Array.from({ length: 32 }, (_, index) => first + index)).toString('base64')
export const [ONE, TWO] = [keyText(1), keyText(101)]
export const CANARY = 'canary-key-of-a-provider'
export const OTHER = 'canary-other-key'
export const HOST = 'models.example:8443'
export const ENDPOINT = `https://${HOST}/v1`
const executor = { capabilities: { options: ['model', 'model_config'] as const } }
const models = { providers: new Map([['anthropic', undefined]]), slots: true, endpointHosts: [HOST] }
export const anthropic = { kind: 'anthropic', api_key: CANARY, model: 'claude-x' }

export const start = (t: TestContext, options: Parameters<typeof startGateway>[1] = {}): Promise<Gateway> =>
  startGateway(t, {
    executor,
    ...options,
    env: { ENCRYPTION_KEY: ONE, MODEL_ENDPOINT_HOSTS: HOST, ...options.env },
    app: { models, ...options.app },
  })

/** Keys of two tenants: `usual` may not write configurations, `rotator` may do nothing else. */
export const keys = (() => {
  const key = (id: string, scopes: string[], tenant = 'acme') => ({
    id,
    tenant,
    scopes,
    hash: createHash('sha256').update(id).digest('hex'),
  })
  const read = readKeysFile(
    JSON.stringify([
      key('usual', ['read', 'write']),
      key('rotator', ['providers:write']),
      key('stranger', ['read', 'write', 'providers:write'], 'other'),
    ]),
  )
  assert.ok('keys' in read)
  return read.keys
})()
export const as = (id: string) => ({ authorization: `Bearer ${id}` })

/** Files below that have a key in them as it is. */
export async function planted(directory: string): Promise<string[]> {
  const names = await readdir(directory)
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'latin1').catch(() => '')))
  assert.ok(names.includes('gateway.db') && names.includes('gateway.db-wal'))
  return names.filter((_, index) => texts[index]?.includes('canary'))
}
