import type { Readable } from 'node:stream'
import type {
  CallContext,
  Delivered,
  Delivery,
  FileDiff,
  OnGit,
  RepositorySource,
  WorkspaceRepository,
} from '@opencode-gateway/contracts'

/** What a workspace began with, and what differs from it. */
export interface Snapshots {
  take(place: Place, name: string, signal: AbortSignal): Promise<void>
  /** `from`: a snapshot; undefined stands for an empty directory. */
  diff(
    place: Place,
    options: { from: string | undefined; limit: number; maxPatchBytes: number },
    signal: AbortSignal,
  ): Promise<{ files: readonly FileDiff[]; truncated: boolean }>
  patch(place: Place, options: { from: string | undefined }, signal: AbortSignal): Promise<Readable>
}

/** A workspace, and the directory of its session that the agent does not see. */
export interface Place {
  directory: string
  aside: string
}

/** Brings repositories in and branches out. */
export interface Git {
  check(source: RepositorySource): void
  fill(
    source: RepositorySource,
    place: { directory: string; workBranch: string },
    ctx: CallContext,
    onGit: OnGit,
  ): Promise<WorkspaceRepository>
  deliver(
    repository: WorkspaceRepository,
    place: { directory: string },
    delivery: Delivery,
    ctx: CallContext,
    onGit: OnGit,
  ): Promise<Delivered>
}
