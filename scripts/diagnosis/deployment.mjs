import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { DEPLOYMENT, envFile, settingsIn } from './env-file.mjs'
import { careful, missing, ok } from './finding.mjs'

/** @typedef {import('./finding.mjs').Finding} Finding */
/** @typedef {(path: string) => Promise<{ uid: number, gid: number } | undefined>} Look */

const execute = promisify(execFile)
/** Whom the containers of docker/compose.yaml run as. */
const CONTAINER_UID = 1000

/** What runs docker/compose.yaml. @type {import('./finding.mjs').Check} */
export async function compose() {
  for (const [program = '', ...args] of [['docker', 'compose'], ['docker-compose']]) {
    const version = await execute(program, [...args, 'version', '--short'], { timeout: 10_000 }).catch(() => undefined)
    if (version) return ok(`${[program, ...args].join(' ')} ${version.stdout.trim()}`)
  }
  const seen = 'there is neither "docker compose" nor docker-compose'
  return (await envFile()) === undefined
    ? ok(`${seen}; docker/compose.yaml alone needs one`)
    : missing(seen, 'install the compose plugin of Docker (Debian: apt-get install docker-compose)')
}

/** The settings of docker/compose.yaml. @type {import('./finding.mjs').Check} */
export async function deployment() {
  const text = await envFile()
  if (text === undefined) return ok('there is no docker/.env; docker/compose.yaml alone needs one')
  return await deploymentFinding(text, (path) => stat(path).catch(() => undefined))
}

/**
 * @param {string} text of docker/.env
 * @param {Look} look
 * @returns {Promise<Finding>}
 */
export async function deploymentFinding(text, look) {
  const settings = settingsIn(text)
  /** @param {string} name */
  const get = (name) => settings.get(name) ?? ''
  /** @type {(readonly [problem: string, fix: string])[]} */
  const problems = []
  const executor = get('EXECUTOR') || 'server'
  const needed = ['API_KEY', 'OPENCODE_IMAGE', ...(executor === 'server' ? ['OPENCODE_SERVER_PASSWORD'] : [])]
  if (get('COMPOSE_PROFILES').includes('observability')) needed.push('GRAFANA_PASSWORD')
  for (const name of needed) if (get(name) === '') problems.push([`${name} is empty`, `set ${name}`])

  const root = get('WORKSPACE_ROOT') || '/srv/opencode-gateway/workspaces'
  const place = await look(root)
  if (place?.uid !== CONTAINER_UID)
    problems.push([
      place ? `"${root}" is of uid ${place.uid}` : `"${root}" is not there`,
      `sudo install -d -o ${CONTAINER_UID} -g ${CONTAINER_UID} -m 0700 "${root}"`,
    ])
  if (executor === 'docker') {
    const socket = get('DOCKER_SOCKET') || '/var/run/docker.sock'
    const found = await look(socket)
    if (!found) problems.push([`"${socket}" is not there`, 'start Docker, or set DOCKER_SOCKET'])
    else if (String(found.gid) !== (get('DOCKER_GID') || '999'))
      problems.push([
        `DOCKER_GID is "${get('DOCKER_GID')}", "${socket}" is of ${found.gid}`,
        `set DOCKER_GID=${found.gid}`,
      ])
  }
  if (get('COMPOSE_PROFILES').includes('proxy-nginx')) {
    const directory = path.resolve(fileURLToPath(DEPLOYMENT), get('TLS_DIRECTORY') || 'tls')
    for (const name of ['fullchain.pem', 'privkey.pem'])
      if (!(await look(path.join(directory, name))))
        problems.push([`there is no ${name} in "${directory}"`, 'put your certificate there, or set TLS_DIRECTORY'])
  }
  if (problems.length === 0) return ok(`docker/.env, EXECUTOR=${executor}`)
  const join = (/** @type {0 | 1} */ part) => problems.map((problem) => problem[part]).join('; ')
  return careful(join(0), `${join(1)} (docker/.env)`)
}
