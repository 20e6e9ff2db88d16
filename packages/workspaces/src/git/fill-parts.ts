import type { Mirrors } from './mirrors.ts'
import type { RemoteCall } from './remote-call.ts'
import type { GitRunner } from './runner.ts'

/** What a workspace is filled from a repository with. */
export interface FillParts {
  git: GitRunner
  mirrors: Mirrors
  author: { name: string; email: string }
  maxBytes: number
  /** The way to another repository, by the same rules. */
  callTo(url: string): Promise<RemoteCall>
}
