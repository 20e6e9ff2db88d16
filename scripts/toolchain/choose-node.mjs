import { ToolchainError } from './say.mjs'

/** The first long-term-support release of the line whose TypeScript, SQLite and test runner the project relies on. */
export const MINIMUM_NODE = '24.11.0'

/**
 * @typedef {object} Machine
 * @property {string} version of the Node that runs the launcher
 * @property {string} platform
 * @property {string} arch
 */
/**
 * @typedef {{ version: string, package: string | undefined }} NodeChoice the npm package to fetch it from; undefined:
 *   the Node that runs the launcher
 */

/**
 * This Node when it is new enough, else the pinned one.
 *
 * @param {Machine} machine
 * @param {string} pinned
 * @returns {NodeChoice}
 */
export function chooseNode({ version, platform, arch }, pinned) {
  if (platform !== 'linux' && platform !== 'darwin') {
    throw new ToolchainError(`the platform "${platform}" is not supported. Use Linux, macOS or WSL.`)
  }
  if (isAtLeast(version, MINIMUM_NODE)) return { version, package: undefined }
  if (arch !== 'x64' && arch !== 'arm64') {
    throw new ToolchainError(
      `there is no Node ${pinned} to fetch for "${platform}-${arch}". Install Node ${MINIMUM_NODE} or newer.`,
    )
  }
  // The packages the npm package `node` itself resolves to; named directly, no install script has to run.
  const prefix = platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node'
  return { version: pinned, package: `${prefix}-${platform}-${arch}` }
}

/**
 * @param {string} version `major.minor.patch`; what follows is ignored
 * @param {string} minimum
 */
export function isAtLeast(version, minimum) {
  const [a, b] = [version, minimum].map((text) => text.split(/[.-]/).slice(0, 3).map(Number))
  for (const index of [0, 1, 2]) {
    const difference = (a?.[index] ?? 0) - (b?.[index] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}
