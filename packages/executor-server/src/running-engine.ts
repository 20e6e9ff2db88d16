import { performance } from 'node:perf_hooks'
import type { EngineClient, EngineLease } from '@opencode-gateway/opencode'
import type { EngineProcess } from './engine-process.ts'

/** An engine of ours, and who works with it. */
export interface RunningEngine {
  readonly process: EngineProcess
  readonly client: EngineClient
  lease(directory: string | undefined): EngineLease
  /** Directories that were worked in: the engine never lets go of one wholly. */
  directories(): number
  ageMs(): number
  /** Settles when nobody works with it. */
  idle(): Promise<void>
}

export function createRunningEngine(process: EngineProcess, client: EngineClient): RunningEngine {
  const startedAt = performance.now()
  const directories = new Set<string>()
  const leases = new Set<EngineLease>()
  let idle = Promise.withResolvers<void>()
  idle.resolve()
  return {
    process,
    client,
    lease(directory) {
      if (directory !== undefined) directories.add(directory)
      if (leases.size === 0) idle = Promise.withResolvers<void>()
      const lease: EngineLease = {
        client,
        release() {
          if (leases.delete(lease) && leases.size === 0) idle.resolve()
        },
      }
      leases.add(lease)
      return lease
    },
    directories: () => directories.size,
    ageMs: () => performance.now() - startedAt,
    async idle() {
      while (leases.size > 0) await idle.promise
    },
  }
}
