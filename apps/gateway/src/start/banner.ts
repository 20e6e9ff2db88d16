import type { Config } from '../config.ts'
import { SCRIPTED_MODEL } from '../settings/engine-settings.ts'

export interface BannerOptions {
  version: string
  /** Where it listens, as the server says. */
  address: string
  config: Config
  keys: number
}

/** What an operator wants to see first: where it is, what answers, and what is not as it should be. */
export function renderBanner({ version, address, config, keys }: BannerOptions): string {
  const url = address.replace(/\/\/(0\.0\.0\.0|\[::\]):/, '//localhost:')
  const model = config.model.scripted ? SCRIPTED_MODEL : (config.model.default ?? "the engine's default")
  const auth = keys === 0 ? '' : ' -H "Authorization: Bearer $API_KEY"'
  return [
    '',
    `  OpenCode Gateway ${version}`,
    '',
    `  url       ${url}   (documentation: ${url}/docs)`,
    `  executor  ${config.executor}, ${engineOf(config)}`,
    `  model     ${model}`,
    `  data      ${config.dataDir}`,
    `  try       curl -d 'say: hello'${auth} ${url}/run`,
    '',
    ...(config.model.scripted ? box(NO_MODEL) : []),
    ...(keys === 0 ? box(config.allowUnauthenticated ? OPEN_TO_ALL : NO_KEY) : []),
  ].join('\n')
}

function engineOf({ executor, docker, server }: Config): string {
  if (executor === 'docker') return `a container of ${docker.image} per session`
  return server.url === undefined ? 'its own engine' : `engine at ${server.url}`
}

const NO_MODEL = [
  'NO MODEL PROVIDER IS CONFIGURED: a scripted model answers, which only plays what',
  'the prompt tells it to. Set ANTHROPIC_API_KEY, OPENAI_API_KEY or another key,',
  'OPENCODE_AUTH_JSON, OPENCODE_CONFIG_JSON or OPENCODE_SERVER_URL for a real one.',
]
const NO_KEY = [
  'NO API KEY IS CONFIGURED: whoever can reach this address on this machine can run',
  'commands as you. Only loopback is served. Set API_KEY to change that.',
]
const OPEN_TO_ALL = [
  'NO API KEY IS CONFIGURED AND ALLOW_UNAUTHENTICATED IS SET: whoever reaches the port',
  'can run commands on this machine. Set API_KEY.',
]

function box(lines: readonly string[]): string[] {
  const rule = `  ${'!'.repeat(88)}`
  return [rule, ...lines.map((line) => `  !! ${line}`), rule, '']
}
