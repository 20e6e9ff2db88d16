import type { PullRequestApis } from '../pull-request/pull-request.ts'
import type { Resolve } from './addresses.ts'
import type { GitCredentials } from './credentials.ts'
import type { MirrorLimits } from './mirror-trim.ts'

export interface GitLimits {
  cloneTimeoutMs: number
  /** For committing and pushing, each. */
  pushTimeoutMs: number
  /** Of a repository's objects, and of what is checked out. */
  maxBytes: number
  /** Of the mirrors together; none unless given. */
  mirrors?: MirrorLimits
}

export interface GitOptions {
  /** Bare mirrors, one per repository; best on the file system of the workspaces. Made if it is not there. */
  cacheDirectory: string
  /** PATH for git; nothing else of our environment reaches it. */
  path: string
  /**
   * Hosts that may be named: "host", which means the usual port, or "host:port". They may be private and use http.
   * Unless given: every host whose addresses are all public.
   */
  allowedHosts?: readonly string[]
  /** file:// and local paths; for tests and air-gapped use. Default false. */
  allowFile?: boolean
  credentials: GitCredentials
  author: { name: string; email: string }
  limits: GitLimits
  pullRequests?: PullRequestApis
  /** For tests: addresses by host. */
  resolve?: Resolve
}

export interface GitPlace {
  directory: string
  /** Of this workspace alone; they come before those of the configuration. */
  credentials?: GitCredentials
}
