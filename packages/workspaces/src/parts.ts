import type {
  CallContext,
  Delivered,
  Delivery,
  OnGit,
  RepositorySource,
  WorkspaceRepository,
} from '@opencode-gateway/contracts'

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
