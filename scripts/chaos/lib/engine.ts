import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { startEngine } from '../../bench/lib/engine.ts'
import type { ChaosContext } from '../scenario.ts'
import type { GatewayEnvironment } from './gateway.ts'

/** An engine that the gateway is only told the address of. */
export interface RemoteEngine {
  pid: number
  /** What leads a gateway to it. */
  environment: GatewayEnvironment
  stop(): Promise<void>
}

export async function startRemoteEngine(context: ChaosContext, name: string, modelUrl: string): Promise<RemoteEngine> {
  const directory = join(context.directory, name)
  await mkdir(directory)
  const cleanUps: (() => Promise<void> | void)[] = []
  const stop = async (): Promise<void> => {
    for (const cleanUp of cleanUps.splice(0)) await cleanUp()
  }
  context.after(stop)
  const own = { ...context, directory, after: (cleanUp: () => Promise<void> | void) => cleanUps.push(cleanUp) }
  const { pid, url, username, password } = await startEngine(own, modelUrl)
  return {
    pid,
    stop,
    environment: {
      OPENCODE_SERVER_URL: url,
      OPENCODE_SERVER_USERNAME: username,
      OPENCODE_SERVER_PASSWORD: password,
    },
  }
}
