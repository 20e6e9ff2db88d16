import * as parse from '../parsers.ts'
import { optional, variable } from '../variable.ts'
import { DAY, MEBIBYTE, SECOND } from './units.ts'

/** What runs the agent, and when an engine of our own is replaced. */
export const engineVariables = {
  executor: variable('EXECUTOR', parse.oneOf('server', 'docker'), 'server', 'What runs the agent.'),
  serverEnabled: variable(
    'OPENCODE_SERVER_ENABLED',
    parse.flag,
    'true',
    'Older switch between executors: false is read as EXECUTOR=docker.',
  ),
  serverUrl: optional(
    'OPENCODE_SERVER_URL',
    parse.httpUrl,
    'A running `opencode serve`; without it the gateway starts its own.',
    {
      aliases: ['OPENCODE_URL'],
    },
  ),
  serverUsername: variable('OPENCODE_SERVER_USERNAME', parse.text, 'opencode', 'Name for that server.'),
  serverPassword: optional(
    'OPENCODE_SERVER_PASSWORD',
    parse.text,
    'Password for that server; random for its own engine.',
    {
      secret: true,
    },
  ),
  healthCheckIntervalMs: variable(
    'OPENCODE_SERVER_HEALTH_CHECK_INTERVAL_MS',
    parse.integer(100, 600_000),
    '5000',
    'How often the engine is looked at, in milliseconds.',
  ),
  maxRetries: variable(
    'OPENCODE_SERVER_MAX_RETRIES',
    parse.integer(0, 100),
    '3',
    'How often a call of the engine that may be repeated is repeated.',
  ),
  retryDelayMs: variable(
    'OPENCODE_SERVER_RETRY_DELAY_MS',
    parse.integer(0, 60_000),
    '1000',
    'Wait before such a repetition, in milliseconds.',
  ),

  engineMaxRssBytes: variable(
    'ENGINE_MAX_RSS',
    parse.integer(128 * MEBIBYTE, 1024 ** 4),
    String(1536 * MEBIBYTE),
    'Memory of an engine of our own, in bytes. One that has more is replaced, and ends when its runs have.',
  ),
  engineMaxAgeMs: variable(
    'ENGINE_MAX_AGE',
    parse.duration(60 * SECOND, 365 * DAY),
    '24h',
    'How long an engine of our own works before it is replaced in the same way.',
  ),
  engineMaxDirectories: variable(
    'ENGINE_MAX_DIRECTORIES',
    parse.integer(1, 100_000),
    '100',
    'Workspaces an engine of our own works in before it is replaced; it never lets go of one wholly.',
  ),
}
