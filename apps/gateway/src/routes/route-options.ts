import type { Executor } from '@opencode-gateway/contracts'
import type { Sealing } from '@opencode-gateway/sealing'
import type { Sessions } from '@opencode-gateway/sessions'
import type { Config } from '../config.ts'
import type { StreamTokens } from '../http/stream-tokens.ts'
import type { ModelChoices } from '../orders/model-order.ts'
import type { ExecutorStartup } from '../start/executor-startup.ts'
import type { ProviderConfigs } from '../providers/provider-configs.ts'
import type { WorkspaceRoom } from '../orders/workspace-room.ts'

/** What routes are made of. */
export interface RouteOptions {
  config: Config
  sessions: Sessions
  executor: Executor
  streamTokens: StreamTokens
  /** Of all routes together. */
  room: WorkspaceRoom
  /** Whether the executor has started yet. */
  startup: () => ExecutorStartup
  /** Undefined where no proxy is between engine and models. */
  models: ModelChoices | undefined
  /** Undefined where no proxy is between engine and models. */
  providers: ProviderConfigs | undefined
  /** Undefined without a key: then nothing is taken that would have to be sealed. */
  sealing: Sealing | undefined
}

/** The handler decides whether it streams; heartbeats are events of ours, which scripts can see. */
export const MANUAL_SSE = { kind: 'manual', heartbeat: false } as const

/** Ids are written in lower case, whatever the client writes. */
export const sessionIdOf = ({ params }: { params: { id: string } }): string => params.id.toLowerCase()
