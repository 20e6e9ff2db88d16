import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { run } from './child.mjs'
import { say, ToolchainError } from './say.mjs'

/** @typedef {import('./tools.mjs').Tools} Tools */
/** @typedef {{ dir: string, manifest: { name?: string, scripts?: Record<string, string>, dependencies?: object, devDependencies?: object } }} Package */

const TIMEOUT_MS = 15 * 60_000
// Inside node_modules, so that it goes when they go.
const STAMP = 'node_modules/.toolchain-stamp'

/**
 * @param {string} root
 * @param {Tools} tools
 * @returns {boolean} whether what the lock file and the manifests say is what is installed
 */
export function areInstalled(root, tools) {
  const stampFile = join(root, STAMP)
  if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stampOf(root, tools.pnpmVersion)) return false
  return workspacePackages(root).every(
    ({ dir, manifest: { dependencies = {}, devDependencies = {} } }) =>
      Object.keys({ ...dependencies, ...devDependencies }).length === 0 || existsSync(join(root, dir, 'node_modules')),
  )
}

/**
 * @param {string} root
 * @param {Tools} tools
 */
export async function installDependencies(root, tools) {
  say('Installing dependencies …')
  const stampFile = join(root, STAMP)
  rmSync(stampFile, { force: true })
  // Taken before: what changes while pnpm works is installed by the next run.
  const stamp = stampOf(root, tools.pnpmVersion)
  const flags = ['--frozen-lockfile', '--prefer-offline', '--prod=false', '--config.confirmModulesPurge=false']
  const exit = await run(tools.pnpm, ['install', ...flags], {
    cwd: root,
    env: { ...process.env, PATH: `${tools.binDir}:${process.env.PATH ?? ''}` },
    // stdout belongs to the task.
    stdio: ['ignore', 2, 2],
    timeoutMs: TIMEOUT_MS,
  })
  if ('signal' in exit && exit.signal !== 'SIGKILL') throw new ToolchainError('stopped while installing.', exit)
  if ('signal' in exit || exit.code !== 0) {
    throw new ToolchainError('`pnpm install --frozen-lockfile` failed; its reason is above.')
  }
  mkdirSync(dirname(stampFile), { recursive: true })
  writeFileSync(stampFile, stamp)
}

/**
 * A hash of everything an install depends on.
 *
 * @param {string} root
 * @param {string} pnpmVersion
 */
export function stampOf(root, pnpmVersion) {
  const hash = createHash('sha256').update(`${pnpmVersion} ${process.platform} ${process.arch}\n`)
  const manifests = workspacePackages(root).map(({ dir }) => join(dir, 'package.json'))
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests]) {
    hash.update(`${file}\n`).update(readFileSync(join(root, file)))
  }
  return hash.digest('hex')
}

/**
 * The root and the packages named by pnpm-workspace.yaml (`dir` or `dir/*`), in a stable order.
 *
 * @param {string} root
 * @returns {Package[]}
 */
export function workspacePackages(root) {
  const dirs = workspacePatterns(readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8')).flatMap((pattern) =>
    pattern.endsWith('/*') ? childrenOf(root, pattern.slice(0, -2)) : [pattern],
  )
  return ['.', ...dirs]
    .filter((dir) => existsSync(join(root, dir, 'package.json')))
    .map((dir) => ({ dir, manifest: JSON.parse(readFileSync(join(root, dir, 'package.json'), 'utf8')) }))
}

/**
 * @param {string} yaml
 * @returns {string[]}
 */
export function workspacePatterns(yaml) {
  const list = /^packages:\n((?:[ \t]+- .*\n|\s*\n)+)/m.exec(yaml)?.[1] ?? ''
  return [...list.matchAll(/- ["']?([^"'\s]+)/g)].map((match) => match[1] ?? '')
}

/**
 * @param {string} root
 * @param {string} dir
 */
function childrenOf(root, dir) {
  if (!existsSync(join(root, dir))) return []
  return readdirSync(join(root, dir))
    .toSorted()
    .map((name) => join(dir, name))
}
