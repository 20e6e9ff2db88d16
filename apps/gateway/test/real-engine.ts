import { mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createScriptedModel, scriptedEngineConfig, type ScriptedModel } from '@opencode-gateway/scripted-model'
import { killProcessesWith } from './processes.ts'
import { startGatewayProcess, type GatewayProcess } from './gateway-process.ts'

/** A gateway process with an engine of its own, and the model that the engine calls. */
export interface RealGateway extends AsyncDisposable {
  readonly url: string
  readonly dataDir: string
  readonly workspaceRoot: string
  readonly model: ScriptedModel
  readonly process: GatewayProcess
  /** The provider with the model, as `OPENCODE_CONFIG_JSON` has it. */
  readonly configJson: string
}

export const DEFAULT_MODEL = 'script/scripted'
export const UNKNOWN_MODEL = 'script/no-such-model'

export interface RealGatewayOptions {
  /** More of the gateway's environment. */
  env?: Readonly<Record<string, string>>
  /** More of the engine's configuration. */
  config?: Readonly<Record<string, unknown>>
  /** The provider's options in it besides the address. */
  provider?: Readonly<Record<string, unknown>>
}

/** Settles when the gateway is ready, its engine included. */
export async function startRealGateway({
  env,
  config,
  provider = { apiKey: 'none' },
}: RealGatewayOptions = {}): Promise<RealGateway> {
  await using made = new AsyncDisposableStack()
  const dataDir = await realpath(await mkdtemp(join(tmpdir(), 'gateway-test-')))
  made.defer(() => rm(dataDir, { recursive: true, force: true, maxRetries: 3 }))
  // What a gateway that was killed, or a failing test, has left.
  made.defer(() => killProcessesWith(dataDir))
  const model = createScriptedModel({ maxRecorded: 5000 })
  made.defer(() => model.close())
  const configJson = JSON.stringify({
    ...scriptedEngineConfig({ baseURL: await model.listen(), ...provider }),
    ...config,
  })
  const gateway = made.use(await startGatewayProcess({ dataDir, env: { OPENCODE_CONFIG_JSON: configJson, ...env } }))
  await gateway.ready()
  const owned = made.move()
  return {
    url: gateway.url,
    dataDir,
    workspaceRoot: join(dataDir, 'workspaces'),
    model,
    process: gateway,
    configJson,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** What lies below the root of the workspaces, but for the folders that are always there. */
export async function filesIn(workspaceRoot: string): Promise<readonly string[]> {
  const names = await readdir(workspaceRoot, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    // Removed while it was read: there was something.
    if (error.code === 'ENOENT' && error.path !== workspaceRoot) return [String(error.path)]
    throw error
  })
  return names.filter((name) => !['.aside', '.sessions', '.shell'].includes(name))
}

export interface EngineSessionRow {
  id: string
  title: string
  directory: string
}

/** The sessions in the engine's database, read beside the engine: it is asked for nothing. */
export function engineSessions({ dataDir }: Pick<RealGateway, 'dataDir'>): readonly EngineSessionRow[] {
  const file = join(dataDir, 'engine', 'home', '.local', 'share', 'opencode', 'opencode.db')
  using database = new DatabaseSync(file, { readOnly: true })
  return database
    .prepare('SELECT id, title, directory FROM session ORDER BY time_created')
    .all()
    .map(({ id, title, directory }) => ({ id: String(id), title: String(title), directory: String(directory) }))
}
