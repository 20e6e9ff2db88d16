import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ChaosContext } from '../scenario.ts'
import { startGateway, type Gateway, type GatewayEnvironment } from './gateway.ts'
import { killAllWith } from './processes.ts'

/** A data directory and whichever gateway works in it. */
export interface Site {
  readonly workspaceRoot: string
  /** In the environment of every process that belongs here. */
  readonly mark: string
  /** The address of the present gateway, or of the last one. */
  url(): string
  gateway(): Gateway
  start(environment?: GatewayEnvironment): Promise<Gateway>
}

const cleanUpTimeoutMs = 20_000

/** Everything that was started here has ended when the scenario is over. */
export async function createSite(context: ChaosContext, environment: GatewayEnvironment): Promise<Site> {
  const dataDir = join(context.directory, 'data')
  await mkdir(dataDir, { recursive: true })
  let current: Gateway | undefined
  context.after(() => killAllWith(context.directory, AbortSignal.timeout(cleanUpTimeoutMs)))
  context.after(async () => current?.stop())
  const gateway = (): Gateway => {
    if (current) return current
    throw new Error('no gateway has been started')
  }
  return {
    workspaceRoot: join(dataDir, 'workspaces'),
    mark: dataDir,
    url: () => gateway().url,
    gateway,
    async start(more = {}) {
      current = await startGateway(context, dataDir, { ...environment, ...more })
      return current
    },
  }
}
