import { crashPoints, otherCrashPoints } from '@opencode-gateway/sessions'
import { dockerVariables } from './docker-variables.ts'
import * as parse from './parsers.ts'
import { optional, variable } from './variable.ts'

const SECOND = 1000
const MEBIBYTE = 1024 ** 2
const HOUR = 3600 * SECOND
const DAY = 24 * HOUR

/** Every environment variable of the gateway but the provider keys, in the order of `.env.example`. */
export const variables = {
  port: variable('PORT', parse.integer(0, 65_535), '8080', 'Port the gateway listens on; 0 takes a free one.'),
  host: variable(
    'HOST',
    parse.host,
    '127.0.0.1',
    'Address the gateway listens on. Any but a loopback one needs a key.',
  ),
  metricsPort: optional(
    'METRICS_PORT',
    parse.integer(0, 65_535),
    'Port for GET /metrics alone, which asks for no key there; without it /metrics is on PORT, behind the key.',
  ),
  modelProxyPort: variable(
    'MODEL_PROXY_PORT',
    parse.integer(0, 65_535),
    '0',
    'Port on loopback where engines of our own call their models through the gateway, which alone has the keys of the providers; 0 takes a free one.',
  ),
  logLevel: variable(
    'LOG_LEVEL',
    parse.oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    'info',
    'JSON lines on standard output; pretty on a terminal.',
  ),

  apiKey: optional('API_KEY', parse.apiKey, 'The one key clients present. Without a key only loopback is served.', {
    aliases: ['OPENCODE_SHARED_SECRET'],
    secret: true,
  }),
  apiKeysFile: optional(
    'API_KEYS_FILE',
    parse.text,
    'JSON file with several keys: id, hash (sha256, hex), tenant?, scopes?, limits?.',
  ),
  allowUnauthenticated: variable(
    'ALLOW_UNAUTHENTICATED',
    parse.flag,
    'false',
    'Serve other addresses than loopback without a key: everybody who reaches the port can run commands.',
  ),

  dataDir: optional(
    'DATA_DIR',
    parse.text,
    'Database, lock and engine state; $XDG_DATA_HOME/opencode-gateway unless set.',
  ),
  workspaceRoot: optional('WORKSPACE_ROOT', parse.text, 'Where workspaces are made; $DATA_DIR/workspaces unless set.', {
    aliases: ['WORKSPACE_DIR'],
  }),

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

  ...dockerVariables,

  model: optional('OPENCODE_MODEL', parse.model, 'Model of a request that names none: "provider/model".'),
  modelEndpointHosts: optional(
    'MODEL_ENDPOINT_HOSTS',
    parse.hostList,
    'Hosts that `api_endpoint` of a request may name, "host" or "host:port" with commas between; none unless set.',
  ),
  authJson: optional('OPENCODE_AUTH_JSON', parse.jsonObject, "Content of the engine's auth.json.", { secret: true }),
  authToken: optional('OPENCODE_AUTH_TOKEN', parse.text, 'Token of an OpenCode account, handed to the engine.', {
    secret: true,
  }),
  configJson: optional('OPENCODE_CONFIG_JSON', parse.jsonObject, "Content of the engine's configuration.", {
    secret: true,
  }),

  permissions: variable(
    'PERMISSIONS',
    parse.permissions,
    '{"*":"allow","question":"deny","external_directory":"deny","bash":{"*":"allow","git push*":"deny"}}',
    'What the agent may do at most: rules in the form of OpenCode, as JSON. A request can only narrow them.',
  ),

  gitAllowedHosts: optional(
    'GIT_ALLOWED_HOSTS',
    parse.hostList,
    'Git hosts that may be named in a request, "host" or "host:port" with commas between; unless set, every host with public addresses.',
  ),
  gitAllowFile: variable(
    'GIT_ALLOW_FILE',
    parse.flag,
    'false',
    'Take repositories of this machine (file://): every client can read them.',
  ),
  githubToken: optional('GITHUB_TOKEN', parse.token, 'Token for github.com: clone, push and pull requests.', {
    secret: true,
  }),
  gitCredentialsFile: optional(
    'GIT_CREDENTIALS_FILE',
    parse.text,
    'JSON file with what each git host asks for: host to token, username and password, or ssh key file.',
  ),
  encryptionKey: optional(
    'ENCRYPTION_KEY',
    parse.sealingKey,
    'Key that seals what requests give for git hosts, 32 bytes in base64; without it `git_credentials` are refused.',
    { secret: true },
  ),
  encryptionKeyPrevious: optional(
    'ENCRYPTION_KEY_PREVIOUS',
    parse.sealingKey,
    'The key before that one: opens what was sealed with it, until those sessions are gone.',
    { secret: true },
  ),
  gitAuthorName: variable('GIT_AUTHOR_NAME', parse.line, 'OpenCode Gateway', 'Author of the commits made for a run.'),
  gitAuthorEmail: variable(
    'GIT_AUTHOR_EMAIL',
    parse.line,
    'opencode-gateway@localhost',
    'Their address; a git host shows it.',
  ),
  githubApi: optional(
    'GITHUB_API_URLS',
    parse.urlsByHost,
    'APIs of GitHub Enterprise hosts, for pull requests: "host=https://host/api/v3" with commas between.',
  ),
  gitlabApi: optional(
    'GITLAB_API_URLS',
    parse.urlsByHost,
    'APIs of GitLab hosts besides gitlab.com: "host=https://host/api/v4" with commas between.',
  ),
  cloneTimeoutMs: variable(
    'GIT_CLONE_TIMEOUT',
    parse.duration(SECOND, DAY),
    '10m',
    'How long bringing a repository in may take.',
  ),
  pushTimeoutMs: variable(
    'GIT_PUSH_TIMEOUT',
    parse.duration(SECOND, HOUR),
    '2m',
    'How long pushing a branch or opening a pull request may take.',
  ),
  mirrorBytes: variable(
    'GIT_CACHE_MAX_BYTES',
    parse.integer(0, Number.MAX_SAFE_INTEGER),
    '21474836480',
    'Size of all mirrors of repositories, in bytes; those that were not used for the longest time go first.',
  ),
  mirrorAgeMs: variable(
    'GIT_CACHE_MAX_AGE',
    parse.duration(SECOND, 3650 * DAY),
    '30d',
    'How long a mirror is kept that no clone uses.',
  ),
  maxWorkspaceBytes: variable(
    'WORKSPACE_MAX_BYTES',
    parse.integer(1_048_576, Number.MAX_SAFE_INTEGER),
    '5368709120',
    'Most a workspace may hold, in bytes: repositories, archives and forks that bring more are refused, a run that leaves more ends with WORKSPACE_FULL.',
  ),
  maxWorkspaceFiles: variable(
    'WORKSPACE_MAX_FILES',
    parse.integer(1, 100_000_000),
    '1000000',
    'Most files and directories a workspace may hold; as WORKSPACE_MAX_BYTES.',
  ),

  maxCheckpoints: variable(
    'WORKSPACE_SNAPSHOTS',
    parse.integer(0, 10_000),
    '20',
    'Of how many runs of a session it is remembered what they left in its workspace; with 0 of none.',
  ),

  executionTimeMs: optional(
    'MAX_EXECUTION_TIME',
    parse.duration(SECOND, 7 * DAY),
    'Time limit of a run, and the most a request may ask for. Unless set 300s for /run and 3600s in sessions, and 3600s the most.',
    { aliases: ['SESSION_TIMEOUT', 'TASK_TIMEOUT'] },
  ),
  startTimeoutMs: variable(
    'START_TIMEOUT',
    parse.duration(SECOND, HOUR),
    '60s',
    'How long opening a session in the engine may take.',
  ),
  idleTimeoutMs: variable(
    'IDLE_TIMEOUT',
    parse.duration(SECOND, DAY),
    '10m',
    'How long a run may go without any event before it is ended.',
  ),
  askTimeoutMs: variable(
    'ASK_TIMEOUT',
    parse.duration(30 * SECOND, HOUR),
    '300s',
    'How long a permission or question of the agent waits for its answer before it is refused.',
  ),
  maxModelCalls: variable(
    'MAX_MODEL_CALLS',
    parse.integer(1, 1_000_000),
    '250',
    'Calls of the model a run may make, sub-agents included; more is taken for a loop.',
  ),
  runBudget: optional(
    'RUN_BUDGET',
    parse.budget,
    'What a run may use of models: "calls=100,tokens=1000000,cost=2.50" (USD), or some of these. Then it ends budget_exceeded. With a cost, models of unknown price are not called.',
  ),
  sessionBudget: optional('SESSION_BUDGET', parse.budget, 'The same for all runs of a session together.'),
  dayBudget: optional('DAY_BUDGET', parse.budget, 'The same for all runs of one tenant on a day (UTC).'),
  maxOutputBytes: variable(
    'MAX_OUTPUT_SIZE',
    parse.integer(1024, 1_073_741_824),
    '10485760',
    'Output of a run that is kept, in bytes; what comes after is cut off with a note.',
  ),
  cancelGraceMs: variable(
    'CANCEL_GRACE',
    parse.duration(2 * SECOND, HOUR),
    '10s',
    'How long a cancel may take. An engine of our own that has not stopped the run after 60 % of it is ended and replaced.',
  ),
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
  rateLimitMax: variable('RATE_LIMIT_MAX', parse.integer(1, 10_000_000), '600', 'Requests of one key in a window.'),
  rateLimitWindowMs: variable('RATE_LIMIT_WINDOW', parse.duration(SECOND, DAY), '1m', 'Length of that window.'),
  maxStreamsPerKey: variable(
    'MAX_STREAMS_PER_KEY',
    parse.integer(1, 1_000_000),
    '2000',
    'Event streams one key may have open; beyond it the answer is 429.',
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
  eventRetentionMs: variable(
    'EVENT_RETENTION',
    parse.duration(SECOND, 3650 * DAY),
    '7d',
    'How long events of ended runs are kept.',
  ),
  workspaceRetentionMs: variable(
    'WORKSPACE_RETENTION',
    parse.duration(SECOND, 3650 * DAY),
    '7d',
    'How long after its last change a session without an open run can be used, unless its request says otherwise; then its workspace is removed.',
  ),
  sessionRetentionMs: variable(
    'SESSION_RETENTION',
    parse.duration(SECOND, 3650 * DAY),
    '30d',
    'How long after that, or after it was deleted, a session can be read; then it is forgotten, with its runs and events.',
  ),
  maxEventLoopDelayMs: variable(
    'MAX_EVENT_LOOP_DELAY',
    parse.duration(10, HOUR),
    '1s',
    'When the process lags more than this, new work is answered with 503.',
  ),
  crashAt: optional(
    'CRASH_AT',
    parse.oneOf(...crashPoints, ...otherCrashPoints),
    'For tests: kills the process at a named place, as a crash would.',
    { unlisted: true },
  ),
  shutdownGraceMs: variable(
    'SHUTDOWN_GRACE',
    parse.duration(2 * SECOND, HOUR),
    '25s',
    'Time from SIGTERM to the end of the process. Runs may finish in it but for the last 5s, which are for closing; what still works is handed over to the next start.',
  ),
}
