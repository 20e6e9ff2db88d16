import type { EngineModels, Log, PermissionRules } from '@opencode-gateway/contracts'
import type { EngineConfig, EngineLimits } from '@opencode-gateway/opencode'
import type { WorkspacesOptions } from '@opencode-gateway/workspaces'
import type { RecycleLimits } from './engine-growth.ts'

export interface RemoteEngineOptions {
  url: string
  username: string
  password: string
}

export interface EmbeddedEngineOptions {
  /** Where the engine keeps its database and configuration; one gateway at a time uses it. */
  stateDir: string
  /** Executable of the engine; that of the package `opencode-ai` unless given. */
  binary?: string
  /** The operator's configuration of the engine, merged with our defaults. */
  config?: EngineConfig
  /** Stored credentials of the engine (`OPENCODE_AUTH_CONTENT`): provider → credential. */
  auth?: Readonly<Record<string, unknown>>
  /** More variables for the engine, providers' keys among them. It gets no others of ours. */
  environment?: Readonly<Record<string, string>>
  /** Search path of the engine and its tools; needs `git` and `rg`. */
  path: string
  /** How the engine reaches its models; by itself, with what it was given, when absent. */
  models?: EngineModels
  startTimeoutMs?: number
  stopGraceMs?: number
  /** How long the end of the engine by force, and of all it started, may take. */
  killTimeoutMs?: number
  /** How often the engine is asked whether it is well, and how long it may take to answer. */
  healthIntervalMs?: number
  answerTimeoutMs?: number
  /** After so many answers that failed to come it is ended, and started again. */
  maxUnanswered?: number
  /** When another engine takes its place. */
  recycle?: Partial<RecycleLimits>
}

export interface ServerExecutorOptions {
  /** Every session has a directory below it. */
  workspaceRoot: string
  /** What workspaces can do besides holding files. */
  workspaces?: Omit<WorkspacesOptions, 'directories'>
  log: Log
  /** An engine that runs elsewhere and sees `workspaceRoot` under the same path. */
  remote?: RemoteEngineOptions
  /** An engine that we start and supervise. One of the two must be given. */
  embedded?: EmbeddedEngineOptions
  /**
   * What agents may do at most, whatever a request says; `unattended` unless given. An engine of our own has it in its
   * configuration. A remote one is told it with every session, and there sub-agents live by what it denies alone: what
   * else they may do is for the remote engine's own configuration to say.
   */
  permissions?: PermissionRules
  /** How often a remote engine is looked at. */
  healthIntervalMs?: number
  /** How often the start of work with an engine is tried again. */
  maxRetries?: number
  retryDelayMs?: number
  /** How long a cancel may take, the end of an engine of ours included that does not obey; 10 s unless given. */
  cancelGraceMs?: number
  limits?: Partial<EngineLimits>
}
