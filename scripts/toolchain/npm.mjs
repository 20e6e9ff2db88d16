import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { run } from './child.mjs'
import { say, ToolchainError } from './say.mjs'

const TIMEOUT_MS = 10 * 60_000
const TAIL_BYTES = 4_000
const NETWORK_CODES =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT/

/**
 * Installs what the package.json in `dir` asks for, without running anybody's install scripts.
 *
 * @param {string} dir
 */
export async function npmInstall(dir) {
  const [command, ...before] = npmCommand(process.env)
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--no-update-notifier']
  let output = ''
  const exit = await run(
    command,
    [...before, 'install', '--prefix', dir, '--no-global', '--loglevel=error', ...flags],
    {
      cwd: dir,
      env: process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeoutMs: TIMEOUT_MS,
      onOutput: (chunk) => {
        output = (output + chunk.toString()).slice(-TAIL_BYTES)
      },
    },
  )
  if ('code' in exit && exit.code === 0) return
  if ('signal' in exit && exit.signal !== 'SIGKILL') throw new ToolchainError('stopped while fetching the tools.', exit)
  if (output !== '') say(`npm said:\n${output.trim()}`)
  throw new ToolchainError(explain(output))
}

/**
 * The npm that started us, so that no other one on the PATH is needed.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {[string, ...string[]]}
 */
export function npmCommand({ npm_execpath: path }) {
  if (path !== undefined && basename(path) === 'npm-cli.js' && existsSync(path)) return [process.execPath, path]
  return ['npm']
}

/** @param {string} output what npm printed before it gave up */
export function explain(output) {
  const network = NETWORK_CODES.exec(output)?.[0]
  return network === undefined
    ? 'npm could not fetch the tools. The first run needs npm and its registry.'
    : `the npm registry cannot be reached (${network}). The first run needs the network: check it and npm's proxy and registry settings.`
}
