import { execFile } from 'node:child_process'
import { access, constants, stat, statfs } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { careful, isDockerMode, missing, ok } from './finding.mjs'

/** @typedef {import('./finding.mjs').Check} Check */
/** @typedef {import('./finding.mjs').Environment} Environment */

const execute = promisify(execFile)
const GIB = 1024 ** 3

/** @param {Environment} env */
const dataDirOf = (env) =>
  path.resolve(
    env['DATA_DIR'] || path.join(env['XDG_DATA_HOME'] || path.join(homedir(), '.local', 'share'), 'opencode-gateway'),
  )

/** @param {Environment} env */
const workspaceRootOf = (env) => env['WORKSPACE_ROOT'] || env['WORKSPACE_DIR']

/** @type {Check} */
export async function data(env) {
  const directory = dataDirOf(env)
  const place = await nearest(directory)
  const found = await stat(place).catch(() => undefined)
  if (!found?.isDirectory())
    return missing(`"${place}" is no directory`, 'set DATA_DIR to one, or to one that can be made')
  return (await isWritable(place))
    ? ok(directory)
    : missing(`"${place}" cannot be written`, 'set DATA_DIR, or give that directory to the user of the gateway')
}

/** @type {Check} */
export async function workspaces(env) {
  const directory = workspaceRootOf(env)
  if (!directory) {
    if (isDockerMode(env)) return careful('WORKSPACE_ROOT is not set', 'the daemon has to see it under the same path')
    return ok('below DATA_DIR')
  }
  if (!path.isAbsolute(directory))
    return missing(`"${directory}" is relative`, 'set WORKSPACE_ROOT to an absolute path')
  const found = await stat(directory).catch(() => undefined)
  if (!found?.isDirectory())
    return missing(`"${directory}" is no directory`, `sudo install -d -o 1000 -g 1000 -m 0700 "${directory}"`)
  const inside = await execute('git', ['-C', directory, 'rev-parse', '--show-toplevel']).catch(() => undefined)
  if (inside)
    return missing(
      `"${directory}" is in the checkout ${inside.stdout.trim()}`,
      'set it to one outside: an engine would take that for the project',
    )
  return (await isWritable(directory))
    ? ok(directory)
    : missing(`"${directory}" cannot be written`, 'give it to the user of the gateway')
}

/** @type {Check} */
export async function disk(env) {
  const place = await nearest(workspaceRootOf(env) || dataDirOf(env))
  const { bavail, bsize } = await statfs(place)
  const seen = `${((bavail * bsize) / GIB).toFixed(1)} GiB free for workspaces`
  return bavail * bsize >= 5 * GIB ? ok(seen) : careful(seen, 'a workspace may grow to WORKSPACE_MAX_BYTES (5 GiB)')
}

/** The directory itself, or what is there of the way to it. @param {string} directory @returns {Promise<string>} */
async function nearest(directory) {
  const found = await stat(directory).catch(() => undefined)
  return found || path.dirname(directory) === directory ? directory : await nearest(path.dirname(directory))
}

/** @param {string} directory */
const isWritable = (directory) =>
  access(directory, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  )
