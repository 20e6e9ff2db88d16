import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../child.mjs'
import { gatewayCommand } from '../gateway-command.mjs'

/**
 * Runs the gateway. Signals go to it alone: it stops its engines itself, in order.
 *
 * @type {import('./index.mjs').Task}
 */
export async function start({ root, tools, args, env }) {
  const command = gatewayCommand({ root })
  const envFile = existsSync(join(root, '.env')) ? ['--env-file=.env'] : []
  return await run(tools.node, [...command.flags, ...envFile, command.entry, ...args], {
    cwd: root,
    env: { ...command.env, ...env },
    signals: 'child',
  })
}
