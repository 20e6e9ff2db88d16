import { fileURLToPath } from 'node:url'
import { gatewayCommand } from '../../toolchain/gateway-command.mjs'
import type { BenchContext } from '../bench.ts'
import { startChild, type Child } from './child.ts'
import type { GatewaySettings } from './gateway-process.ts'

const command = gatewayCommand({ root: fileURLToPath(new URL('../../..', import.meta.url)) })

/** Starts a gateway in a process of its own, as `npm start` would; its database and workspaces are in the bench's directory. */
export function startGateway(context: BenchContext, settings: Omit<GatewaySettings, 'directory'>): Promise<Child> {
  const { directory } = context
  return startChild(context, './gateway-process.ts', { directory, ...settings } satisfies GatewaySettings, command)
}
