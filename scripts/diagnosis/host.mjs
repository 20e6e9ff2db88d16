import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { totalmem } from 'node:os'
import { promisify } from 'node:util'
import { careful, isEmbedded, missing, ok } from './finding.mjs'

/** @typedef {import('./finding.mjs').Check} Check */
/** @typedef {import('./finding.mjs').Finding} Finding */

const execute = promisify(execFile)
const GIB = 1024 ** 3
const ENOUGH_FILES = 4096

/** @type {Check} */
export const system = () =>
  process.platform === 'linux'
    ? ok(`${process.platform} ${process.arch}`)
    : careful(process.platform, 'made for Linux: elsewhere a link that is swapped in time can lead out of a workspace')

/** @type {Check} */
export const node = () => nodeFinding(process.versions.node)

/** @param {string} version */
export function nodeFinding(version) {
  const [major = 0] = version.split('.').map(Number)
  if (major >= 24) return ok(version)
  return major >= 20
    ? ok(`${version}; npm start fetches the one it needs`)
    : missing(`${version} is too old`, 'install Node 20 or newer with npm (24 is best)')
}

/** @type {Check} */
export const npm = () => program('npm', ['--version'], 'install npm; it fetches everything else')

/** @type {Check} */
export const git = () => program('git', ['--version'], 'install git (Debian: apt-get install git)')

/** @type {Check} */
export const ripgrep = (env) =>
  isEmbedded(env)
    ? program('rg', ['--version'], 'install ripgrep (Debian: apt-get install ripgrep); the agent searches with it')
    : ok('the engine has its own')

/** @type {Check} */
export async function ssh() {
  const found = await program('ssh-add', ['-h'], '')
  return found.state === 'missing' && found.seen.startsWith('there is no')
    ? careful('there is no ssh-add program', 'install openssh-client, for repositories over SSH')
    : ok('repositories over SSH')
}

/** @type {Check} */
export const memory = () => {
  const limit = process.constrainedMemory?.() || Infinity
  const bytes = Math.min(totalmem(), limit)
  const seen = `${(bytes / GIB).toFixed(1)} GiB`
  return bytes >= 2 * GIB
    ? ok(seen)
    : careful(seen, 'an engine takes about 600 MiB at its first prompts; give it 2 GiB')
}

/** @type {Check} */
export async function files() {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '')
  const [, hard] = /^Max open files +\S+ +(\S+)/m.exec(limits) ?? []
  if (hard === undefined) return ok('no limit is known')
  return hard === 'unlimited' || Number(hard) >= ENOUGH_FILES
    ? ok(`${hard} may be open`)
    : careful(`only ${hard} may be open`, `raise the limit (ulimit -Hn ${ENOUGH_FILES}): every stream takes one`)
}

/** @type {Check} */
export async function port(env) {
  const text = env['PORT'] || '8080'
  const wanted = Number(text)
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > 65_535)
    return missing(`PORT is "${text}"`, 'set PORT to a number from 0 to 65535')
  const why = await whyNot(wanted, env['HOST'] || '127.0.0.1')
  if (why === undefined) return ok(`${wanted} is free`)
  if (why === 'EADDRINUSE') return careful(`${wanted} is taken`, 'set PORT, or end what listens there')
  if (why === 'EACCES') return missing(`${wanted} is for root alone`, 'set PORT to one from 1024 on')
  return missing(`HOST "${env['HOST']}" cannot be listened on (${why})`, 'set HOST to an address of this machine')
}

/** @type {Check} */
export const key = (env) =>
  env['API_KEY'] || env['API_KEYS_FILE'] || env['OPENCODE_SHARED_SECRET']
    ? ok('clients need one')
    : careful('none', 'without API_KEY only clients of this machine are served')

/** @type {Check} */
export const model = (env) => {
  const names = Object.keys(env).filter((name) => /^[A-Z]+(_[A-Z]+)*_API_KEY$/.test(name) && env[name])
  if (names.length > 0) return ok(names.join(', '))
  const elsewhere = ['OPENCODE_CONFIG_JSON', 'OPENCODE_AUTH_JSON', 'OPENCODE_AUTH_TOKEN', 'OPENCODE_SERVER_URL']
  const found = elsewhere.find((name) => env[name])
  if (found !== undefined) return ok(`by ${found}`)
  return careful('no key of a provider', 'set one (ANTHROPIC_API_KEY, …); without, a built-in scripted model answers')
}

/**
 * @param {string} name
 * @param {readonly string[]} args
 * @param {string} fix
 * @returns {Promise<Finding>}
 */
async function program(name, args, fix) {
  try {
    const { stdout } = await execute(name, [...args], { timeout: 10_000 })
    return ok(stdout.split('\n')[0] || name)
  } catch (error) {
    if (Object(error).code === 'ENOENT') return missing(`there is no ${name} program`, fix)
    return missing(`${name} does not run: ${String(error).split('\n')[0]}`, fix)
  }
}

/**
 * @param {number} port
 * @param {string} host
 * @returns {Promise<string | undefined>}
 */
async function whyNot(port, host) {
  return await new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve(String(Object(error).code)))
    server.listen(port, host, () => server.close(() => resolve(undefined)))
  })
}
