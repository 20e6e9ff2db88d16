import * as parse from '../parsers.ts'
import { optional, variable } from '../variable.ts'
import { DAY, HOUR, SECOND } from './units.ts'

/** What clients may send, and how much of it. */
export const clientVariables = {
  maxRequestBytes: variable(
    'MAX_REQUEST_SIZE',
    parse.integer(1024, 1_073_741_824),
    '10485760',
    'Largest request body in bytes; beyond it the answer is 413.',
  ),
  maxFileBytes: variable(
    'MAX_FILE_SIZE',
    parse.integer(1024, 1_073_741_824),
    '10485760',
    'Largest file that is written through the API, in bytes; beyond it the answer is 413.',
  ),
  maxArchiveBytes: variable(
    'MAX_ARCHIVE_SIZE',
    parse.integer(1024, 1_073_741_824),
    '104857600',
    'Largest archive that fills a workspace, in bytes; it may unpack to ten times that, and to what WORKSPACE_MAX_BYTES leaves.',
  ),
  maxPromptCharacters: variable(
    'MAX_PROMPT_LENGTH',
    parse.integer(1, 50_000),
    '50000',
    'Longest prompt in characters; beyond it the answer is 400.',
  ),
  maxConcurrentSessions: variable(
    'MAX_CONCURRENT_SESSIONS',
    parse.integer(1, 1000),
    '5',
    'Runs that work at the same time; beyond it they wait.',
    { aliases: ['MAX_CONCURRENT_TASKS'] },
  ),
  maxQueuedRuns: variable(
    'MAX_QUEUED_RUNS',
    parse.integer(0, 100_000),
    '100',
    'Runs that may wait while all that may work do; beyond it the answer is 429. With 0 none waits.',
  ),
  maxQueuedRunsOfSession: variable(
    'MAX_QUEUED_RUNS_PER_SESSION',
    parse.integer(0, 10_000),
    '20',
    'Of these, how many may be runs of one session, behind the one that works; beyond it the answer is 429.',
  ),
  maxQueuedRunsOfTenant: optional(
    'MAX_QUEUED_RUNS_PER_TENANT',
    parse.integer(0, 100_000),
    'Of these, how many may be runs of one tenant; beyond it the answer is 429. All of them unless set.',
  ),
  rateLimitMax: variable('RATE_LIMIT_MAX', parse.integer(1, 10_000_000), '600', 'Requests of one key in a window.'),
  rateLimitWindowMs: variable('RATE_LIMIT_WINDOW', parse.duration(SECOND, DAY), '1m', 'Length of that window.'),
  maxStreamsPerKey: variable(
    'MAX_STREAMS_PER_KEY',
    parse.integer(1, 1_000_000),
    '2000',
    'Event streams one key may have open; beyond it the answer is 429.',
  ),

  streamTokenLifetimeMs: variable(
    'STREAM_TOKEN_LIFETIME',
    parse.duration(SECOND, DAY),
    '15m',
    'How long a stream token opens streams; one that is open stays.',
  ),
  heartbeatMs: variable(
    'HEARTBEAT_INTERVAL',
    parse.duration(100, HOUR),
    '15s',
    'Pause between heartbeats of an event stream.',
  ),
  streamStallMs: variable(
    'STREAM_STALL_TIMEOUT',
    parse.duration(100, HOUR),
    '30s',
    'A reader of a stream that takes nothing for this long is dropped.',
  ),
}
