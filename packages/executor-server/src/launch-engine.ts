import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import type { Log, ModelAdmission, PermissionRules } from '@opencode-gateway/contracts'
import { composeEngineConfig, createEngineClient, readCatalogue } from '@opencode-gateway/opencode'
import type { EngineClient, EngineLimits } from '@opencode-gateway/opencode'
import { findEngineBinary } from './engine-binary.ts'
import { prepareEngineHome } from './engine-home.ts'
import { startEngineProcess } from './engine-process.ts'
import type { EmbeddedEngineOptions } from './options.ts'
import { createRunningEngine } from './running-engine.ts'
import type { RunningEngine } from './running-engine.ts'

export interface LaunchOptions extends EmbeddedEngineOptions {
  permissions: PermissionRules
  log: Log
  limits?: Partial<EngineLimits>
  /** Entry in the environment of every engine of this state directory, and of all it starts. */
  mark: string
}

const INSTANCE = 'OPENCODE_GATEWAY_INSTANCE'

/** Starts an engine that is ready to work. Several may share a state directory, never a session. */
export async function launchEngine(
  options: LaunchOptions,
  signal: AbortSignal,
): Promise<{ engine: RunningEngine; version: string }> {
  let client: EngineClient | undefined
  const admission = options.models?.admit({
    parentOf: async (engineSessionId, signal) => await client?.parentOf(engineSessionId, signal),
  })
  try {
    const { engine, version } = await launch(options, admission?.providers, signal)
    client = engine.client
    void engine.process.exited.then(() => admission?.end())
    return { engine, version }
  } catch (error) {
    admission?.end()
    throw error
  }
}

async function launch(
  options: LaunchOptions,
  proxied: ModelAdmission['providers'] | undefined,
  signal: AbortSignal,
): Promise<{ engine: RunningEngine; version: string }> {
  const { log, permissions, stateDir, startTimeoutMs = 30_000, stopGraceMs = 3_000, killTimeoutMs = 3_000 } = options
  const binary = await findEngineBinary(options.binary)
  await mkdir(stateDir, { recursive: true, mode: 0o700 })
  const { config, catalogued } = composeEngineConfig({
    operator: options.config ?? {},
    permissions,
    variables: Object.keys(options.environment ?? {}),
    authProviders: Object.keys(options.auth ?? {}),
    ...(proxied === undefined ? {} : { proxied }),
  })
  const catalogue = await readCatalogue({ binary, directory: path.join(stateDir, 'catalogue'), providers: catalogued })
  if (catalogue) options.models?.know(catalogue)
  else
    log.warn(
      { providers: catalogued },
      'the engine takes its whole catalogue of models: a provider was not found in it',
    )
  const home = await prepareEngineHome(stateDir, { catalogue })
  const password = randomBytes(24).toString('base64url')
  const engineProcess = await startEngineProcess(
    {
      binary,
      directory: home.directory,
      environment: {
        ...options.environment,
        PATH: options.path,
        ...home.environment,
        OPENCODE_SERVER_USERNAME: 'opencode',
        OPENCODE_SERVER_PASSWORD: password,
        OPENCODE_CONFIG_CONTENT: JSON.stringify(config),
        ...(options.auth === undefined ? {} : { OPENCODE_AUTH_CONTENT: JSON.stringify(options.auth) }),
      },
      marks: [options.mark, `${INSTANCE}=${randomBytes(12).toString('hex')}`],
      secrets: [
        password,
        ...Object.values(options.environment ?? {}),
        ...stringsIn(options.auth),
        ...stringsIn(config['provider']),
      ],
      startTimeoutMs,
      stopGraceMs,
      killTimeoutMs,
    },
    signal,
  )
  const client = createEngineClient({
    baseUrl: engineProcess.url,
    username: 'opencode',
    password,
    log,
    permissions,
    configured: true,
    exclusive: true,
    async end(why) {
      log.error({ pid: engineProcess.pid, why }, 'the engine does not do as it is told; it is ended')
      await engineProcess.kill()
    },
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  })
  try {
    const { version } = await client.handshake(signal)
    log.info({ pid: engineProcess.pid, version }, 'the engine is ready')
    return { engine: createRunningEngine(engineProcess, client), version }
  } catch (error) {
    await client.close()
    await engineProcess.stop()
    throw error
  }
}

/** Every text anywhere in a value: what may be secret in a configuration. */
function stringsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.length >= 16 ? [value] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(stringsIn)
}
