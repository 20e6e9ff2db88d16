import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { areInstalled } from '../toolchain/dependencies.mjs'
import { areUsable, planTools } from '../toolchain/tools.mjs'
import { careful, missing, ok } from './finding.mjs'

const execute = promisify(execFile)
const scripts = dirname(dirname(fileURLToPath(import.meta.url)))
// What it says of a value that is secret does not have the value.
const READ = `import { readProcessEnv } from '@opencode-gateway/gateway/config'
const { status, warnings, problems = [] } = readProcessEnv()
console.log(JSON.stringify({ status, warnings, problems }))`

export const NOT_INSTALLED = careful('not looked at: nothing is installed yet', 'npm start installs it; then ask again')

/** What the gateway itself says of its environment, once it is installed. @type {import('./finding.mjs').Check} */
export async function settings(env) {
  const said = await askGateway(env)
  if (said === undefined) return NOT_INSTALLED
  const { status, warnings, problems } = said
  if (status !== 'ok')
    return missing(
      problems.map(({ name, got }) => `${name} is ${got}`).join('; '),
      problems.map(({ expected }) => `expected ${expected}`).join('; '),
    )
  return warnings.length > 0 ? careful(warnings.join('; '), 'mend or remove them') : ok('the gateway takes them')
}

/**
 * @typedef {object} Said
 * @property {string} status
 * @property {readonly string[]} warnings
 * @property {readonly { name: string, got: string, expected: string }[]} problems
 */

/**
 * Undefined while it is not installed.
 *
 * @param {import('./finding.mjs').Environment} env
 * @returns {Promise<Said | undefined>}
 */
export async function askGateway(env) {
  const plan = planTools(dirname(scripts))
  if (!areUsable(plan) || !areInstalled(dirname(scripts), plan.tools)) return undefined
  const { stdout } = await execute(plan.tools.node, ['--input-type=module', '--eval', READ], {
    cwd: join(scripts),
    env: { ...env },
    timeout: 30_000,
  })
  return JSON.parse(stdout)
}
