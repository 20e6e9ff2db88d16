import { isLoopback } from './addresses.ts'
import { imageProblems } from './docker.ts'
import { obstacles } from './obstacles.ts'
import type { ConfigProblem } from './problem.ts'
import type { Environment } from './reader.ts'
import type { Secrets } from './secrets.ts'
import type { Config } from './settings.ts'
import { projectAbove, type Surroundings } from './surroundings.ts'
import { variables } from './variables.ts'

/** What each variable alone does not show. */
export function contradictions(config: Config, secrets: Secrets, surroundings: Surroundings): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  if (config.executor === 'docker') {
    problems.push(...imageProblems(config.docker))
    if (secrets.authToken !== undefined) {
      problems.push({
        name: variables.authToken.name,
        got: 'a secret',
        expected: 'nothing with EXECUTOR=docker',
        consequence: 'every agent could read it in its container',
      })
    }
  }
  if (secrets.keys.length === 0 && !isLoopback(config.host) && !config.allowUnauthenticated) {
    problems.push({
      name: 'HOST',
      got: JSON.stringify(config.host),
      expected: 'API_KEY or API_KEYS_FILE to be set, or a loopback address, or ALLOW_UNAUTHENTICATED=true',
      consequence: 'everybody who reaches the port could run commands on this machine',
    })
  }
  if (config.metricsPort !== undefined && config.metricsPort === config.port && config.port !== 0) {
    problems.push({
      name: 'METRICS_PORT',
      got: String(config.metricsPort),
      expected: 'another port than PORT, or no METRICS_PORT to have /metrics on PORT',
      consequence: 'two listeners cannot have one port',
    })
  }
  problems.push(...obstacles(config, surroundings))
  const project = projectAbove(config.workspaceRoot, surroundings)
  if (project !== undefined) {
    problems.push({
      name: 'WORKSPACE_ROOT',
      got: `${JSON.stringify(config.workspaceRoot)}, which is inside the project of ${JSON.stringify(project)}`,
      expected: 'a directory with no .git and no AGENTS.md in it or above it',
      consequence: 'the engine would take that project for the workspace and let the agent write anywhere in it',
    })
  }
  return problems
}

/** What is set and has no effect. */
export function unused({ executor, server }: Config, secrets: Secrets, env: Environment): string[] {
  const { name } = variables.serverUrl
  if (executor === 'docker' && env[name]) return [`${name} is not used: with EXECUTOR=docker engines are in containers`]
  if (server.url === undefined) return []
  const given = [
    ...(secrets.configJson === undefined ? [] : [variables.configJson.name]),
    ...(secrets.authJson === undefined ? [] : [variables.authJson.name]),
    ...(secrets.authToken === undefined ? [] : [variables.authToken.name]),
    ...Object.keys(secrets.providerKeys),
    ...[variables.engineMaxRssBytes, variables.engineMaxAgeMs, variables.engineMaxDirectories]
      .map(({ name }) => name)
      .filter((name) => env[name] !== undefined),
  ]
  return given.map((name) => `${name} is not used: the engine at OPENCODE_SERVER_URL has its own configuration`)
}
