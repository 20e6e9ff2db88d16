import { mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { shareExecutor, silentLog, type SharedExecutor } from '@opencode-gateway/executor-testing'
import { createScriptedModel, scriptedEngineConfig } from '@opencode-gateway/scripted-model'
import type { ScriptedModel } from '@opencode-gateway/scripted-model'
import { createServerExecutor } from '../src/index.ts'
import type { EmbeddedEngineOptions, ServerExecutorOptions } from '../src/index.ts'

/** Directories of their own and a model that plays scripts. */
export interface Place {
  readonly directory: string
  readonly workspaceRoot: string
  readonly model: ScriptedModel
  embedded(overrides?: Partial<EmbeddedEngineOptions>): EmbeddedEngineOptions
  /** To be closed before the place is, the latest first. */
  defer(close: () => Promise<void>): void
  close(): Promise<void>
}

export async function createPlace(): Promise<Place> {
  const directory = await realpath(await mkdtemp(path.join(tmpdir(), 'executor-server-')))
  const model = createScriptedModel()
  const baseURL = await model.listen()
  const deferred: (() => Promise<void>)[] = []
  return {
    directory,
    model,
    workspaceRoot: path.join(directory, 'workspaces'),
    embedded: (overrides) => ({
      stateDir: path.join(directory, 'state'),
      path: process.env['PATH'] ?? '',
      config: scriptedEngineConfig({ baseURL, apiKey: 'none' }),
      ...overrides,
    }),
    defer: (close) => void deferred.push(close),
    async close() {
      for (const close of deferred.toReversed()) await close()
      await model.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

export type Scene = SharedExecutor

export async function startScene(
  place: Place,
  engine: Pick<ServerExecutorOptions, 'embedded' | 'remote' | 'limits' | 'permissions'>,
): Promise<Scene> {
  const { workspaceRoot } = place
  const executor = createServerExecutor({ workspaceRoot, log: silentLog, ...engine })
  place.defer(() => executor.close())
  await executor.start(AbortSignal.timeout(30_000))
  return shareExecutor(executor, { gates: place.model, leftovers: () => leftoversIn(workspaceRoot) })
}

/** Whatever lies below the root of the workspaces, but for the folders that are always there. */
export async function leftoversIn(workspaceRoot: string): Promise<readonly string[]> {
  const names = await readdir(workspaceRoot, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    // Removed while it was read: there was something.
    if (error.code === 'ENOENT' && error.path !== workspaceRoot) return [String(error.path)]
    throw error
  })
  return names.filter((name) => !['.aside', '.sessions', '.shell'].includes(name))
}
