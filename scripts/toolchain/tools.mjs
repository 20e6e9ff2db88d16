import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chooseNode, MINIMUM_NODE } from './choose-node.mjs'
import { npmInstall } from './npm.mjs'
import { readPins } from './pins.mjs'
import { say, ToolchainError } from './say.mjs'

/** @typedef {import('./choose-node.mjs').NodeChoice} NodeChoice */
/** @typedef {{ node: string, pnpm: string, binDir: string, pnpmVersion: string }} Tools absolute paths; binDir holds `node` and `pnpm` */

/**
 * What this machine should use. The directory's name carries the versions: another pin is another directory.
 *
 * @param {string} root
 * @returns {{ dir: string, node: NodeChoice, tools: Tools }}
 */
export function planTools(root) {
  const pins = readPins(root)
  const { platform, arch } = process
  const node = chooseNode({ version: process.versions.node, platform, arch }, pins.node)
  const dir = join(root, '.toolchain', `node-${node.version}-pnpm-${pins.pnpm}-${platform}-${arch}`)
  const binDir = join(dir, 'node_modules', '.bin')
  const tools = { node: join(binDir, 'node'), pnpm: join(binDir, 'pnpm'), binDir, pnpmVersion: pins.pnpm }
  return { dir, node, tools }
}

/**
 * @param {ReturnType<typeof planTools>} plan
 * @returns {boolean} whether both tools are there and are what their directory says
 */
export function areUsable({ dir, node, tools }) {
  const { status, stdout } = spawnSync(tools.node, ['--version'], { encoding: 'utf8' })
  return status === 0 && stdout.trim() === `v${node.version}` && installedPnpm(dir) === tools.pnpmVersion
}

/**
 * Fetches them. Built aside and moved into place, so that an interrupted fetch is never taken for a finished one.
 *
 * @param {string} root
 * @param {ReturnType<typeof planTools>} plan
 */
export async function fetchTools(root, { dir, node, tools }) {
  say(`Fetching ${node.package ? `Node ${node.version} and ` : ''}pnpm ${tools.pnpmVersion} (once) …`)
  const aside = join(root, '.toolchain', 'fetching')
  rmSync(aside, { recursive: true, force: true })
  mkdirSync(aside, { recursive: true })

  const dependencies = { pnpm: tools.pnpmVersion, ...(node.package && { [node.package]: node.version }) }
  writeFileSync(join(aside, 'package.json'), JSON.stringify({ name: 'tools', private: true, dependencies }))
  await npmInstall(aside)
  if (node.package === undefined) symlinkSync(process.execPath, join(aside, 'node_modules', '.bin', 'node'))

  rmSync(dir, { recursive: true, force: true })
  renameSync(aside, dir)
  if (areUsable({ dir, node, tools })) return
  rmSync(dir, { recursive: true, force: true })
  throw new ToolchainError(
    `the Node ${node.version} from npm does not run on this machine (musl libc?). Install Node ${MINIMUM_NODE} or newer yourself.`,
  )
}

/** @param {string} dir */
function installedPnpm(dir) {
  try {
    /** @type {{ version?: string }} */
    const { version } = JSON.parse(readFileSync(join(dir, 'node_modules', 'pnpm', 'package.json'), 'utf8'))
    return version
  } catch {
    return undefined
  }
}
