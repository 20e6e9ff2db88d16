import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { contradictions, unused } from './config/contradictions.ts'
import type { ConfigProblem } from './config/problem.ts'
import { createReader, type Environment } from './config/reader.ts'
import { readSecrets, type Secrets } from './config/secrets.ts'
import { readConfig, type Config } from './config/settings.ts'
import { findObstacle, type Surroundings } from './config/surroundings.ts'
import { unknownNames } from './config/unknown-names.ts'

export type { Config, Secrets }

export type ReadEnv =
  | { status: 'ok'; config: Config; secrets: Secrets; warnings: readonly string[] }
  | { status: 'invalid'; problems: readonly ConfigProblem[]; warnings: readonly string[] }

/** The whole configuration, frozen, or everything that is wrong with it at once. */
export function readEnv(env: Environment, surroundings: Surroundings): ReadEnv {
  const reader = createReader(env)
  const secrets = readSecrets(env, reader, surroundings)
  const config = readConfig(env, reader, surroundings, secrets)
  const problems = [...reader.problems, ...contradictions(config, secrets, surroundings)]
  const warnings = [...unknownNames(env), ...unused(config, secrets, env)]
  if (problems.length > 0) return { status: 'invalid', problems, warnings }
  return { status: 'ok', config: freeze(config), secrets: Object.freeze(secrets), warnings }
}

/** `readEnv` of this process on this machine. */
export function readProcessEnv(): ReadEnv {
  return readEnv(process.env, {
    cwd: process.cwd(),
    home: homedir(),
    readText: (path) => readFileSync(path, 'utf8'),
    exists: existsSync,
    obstacle: findObstacle,
  })
}

function freeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) freeze(part)
  return Object.freeze(value)
}
