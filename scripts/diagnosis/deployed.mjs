import { envFile, settingsIn } from './env-file.mjs'
import { careful, ok } from './finding.mjs'
import { askGateway, NOT_INSTALLED } from './settings.mjs'

/** What docker/compose.yaml says whatever is in docker/.env, and what names files that are elsewhere in the container. */
const NOT_ASKED = ['API_KEYS_FILE', 'DOCKER_HOST', 'GIT_CREDENTIALS_FILE', 'OPENCODE_SERVER_URL', 'PORT']

/**
 * What the gateway would say of docker/.env. Compose hands it the settings by their names, so that of a name with a slip
 * it hears nothing.
 *
 * @type {import('./finding.mjs').Check}
 */
export async function deployed() {
  const text = await envFile()
  if (text === undefined) return ok('there is no docker/.env; docker/compose.yaml alone needs one')
  return await deployedFinding(text)
}

/**
 * @param {string} text of docker/.env
 * @returns {Promise<import('./finding.mjs').Finding>}
 */
export async function deployedFinding(text) {
  const given = [...settingsIn(text)].filter(([name, value]) => value !== '' && !NOT_ASKED.includes(name))
  const { PATH, HOME } = process.env
  const said = await askGateway({ PATH, HOME, ...Object.fromEntries(given), NODE_ENV: 'production' })
  if (said === undefined) return NOT_INSTALLED
  const { problems, warnings } = said
  if (problems.length + warnings.length === 0) return ok('the gateway takes the settings in docker/.env')
  const fixes = problems.map(({ name, expected }) => `${name}: expected ${expected}`)
  if (warnings.length > 0) fixes.push('mend or remove what is ignored')
  return careful(
    [...problems.map(({ name, got }) => `${name} is ${got}`), ...warnings].join('; '),
    `${fixes.join('; ')} (docker/.env)`,
  )
}
