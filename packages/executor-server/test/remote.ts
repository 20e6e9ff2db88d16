import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import type { PermissionRules } from '@opencode-gateway/contracts'
import { composeEngineConfig, unattended } from '@opencode-gateway/opencode'
import { prepareEngineHome } from '../src/engine-home.ts'
import { findEngineBinary } from '../src/engine-binary.ts'
import { startEngineProcess } from '../src/engine-process.ts'
import type { EngineProcess } from '../src/engine-process.ts'
import type { RemoteEngineOptions } from '../src/index.ts'
import type { Place } from './scene.ts'

export interface RemoteEngine {
  readonly process: EngineProcess
  readonly remote: RemoteEngineOptions
}

/** An engine that is not the executor's own: somebody else started it. */
export async function startRemoteEngine(
  place: Place,
  { mark = `TEST_ENGINE=${place.directory}`, permission }: { mark?: string; permission?: PermissionRules } = {},
): Promise<RemoteEngine> {
  const stateDir = path.join(place.directory, 'remote')
  await mkdir(stateDir, { recursive: true })
  const { config } = composeEngineConfig({
    operator: place.embedded().config ?? {},
    permissions: unattended,
    variables: [],
    authProviders: [],
  })
  const home = await prepareEngineHome(stateDir, { catalogue: {} })
  const engine = await startEngineProcess(
    {
      binary: await findEngineBinary(undefined),
      directory: home.directory,
      environment: {
        ...home.environment,
        PATH: process.env['PATH'] ?? '',
        OPENCODE_SERVER_PASSWORD: 'a password for tests',
        OPENCODE_CONFIG_CONTENT: JSON.stringify(permission === undefined ? config : { ...config, permission }),
      },
      marks: [mark],
      secrets: [],
      startTimeoutMs: 30_000,
      stopGraceMs: 3_000,
      killTimeoutMs: 3_000,
    },
    AbortSignal.timeout(30_000),
  )
  place.defer(() => engine.stop())
  return { process: engine, remote: { url: engine.url, username: 'opencode', password: 'a password for tests' } }
}
