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

/**
 * What the gateway itself says of its environment, once it is installed.
 *
 * @type {import('./finding.mjs').Check}
 */
export async function settings(env) {
  const plan = planTools(dirname(scripts))
  if (!areUsable(plan) || !areInstalled(dirname(scripts), plan.tools))
    return careful('not looked at: nothing is installed yet', 'npm start installs it; then ask again')
  const { stdout } = await execute(plan.tools.node, ['--input-type=module', '--eval', READ], {
    cwd: join(scripts),
    env: { ...env },
    timeout: 30_000,
  })
  const { status, warnings, problems } = JSON.parse(stdout)
  if (status !== 'ok')
    return missing(
      problems.map((/** @type {{ name: string, got: string }} */ { name, got }) => `${name} is ${got}`).join('; '),
      problems.map((/** @type {{ expected: string }} */ { expected }) => `expected ${expected}`).join('; '),
    )
  return warnings.length > 0 ? careful(warnings.join('; '), 'mend or remove them') : ok('the gateway takes them')
}
