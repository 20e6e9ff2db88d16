import type { Readable } from 'node:stream'
import type { CallContext } from './call-context.ts'
import type { GitData } from './events.ts'
import type { ContainerResources } from './resources.ts'

/** What kind of thing a path of a workspace names. A link is never followed. */
export type FileKind = 'file' | 'directory' | 'link' | 'other'

export interface FileEntry {
  /** Relative to the workspace, `/` between names; empty for the workspace itself. */
  path: string
  kind: FileKind
  /** Bytes; 0 for what is not a file. */
  size: number
  /** Milliseconds since the epoch. */
  modifiedAt: number
  /** Permission bits. */
  mode: number
}

export interface FileStat extends FileEntry {
  /** Changes whenever the content may have changed; for `ETag` and `If-Match`. Files only. */
  tag?: string
  /** Whether the first bytes look like text. Files only. */
  text?: boolean
}

/** Bytes `start` to `end`, both included. */
export interface ByteRange {
  start: number
  end: number
}

/**
 * The files of one workspace, while the agent works in it and after. Paths are relative to the workspace. Refused with
 * a code of their own: an absolute path, `..`, a NUL, and whatever would leave the workspace through a link, also one
 * that appears while the call is under way. Files that look like secrets are not served unless `secrets` says so.
 */
export interface WorkspaceFiles {
  /**
   * What lies below a directory, `depth` levels deep, by path; `truncated` when `limit` cut it off. `unnamed`: entries
   * that were seen and left out because their names are not UTF-8.
   */
  list(
    path: string,
    options: { depth: number; limit: number },
    signal: AbortSignal,
  ): Promise<{ entries: readonly FileEntry[]; truncated: boolean; unnamed: number }>
  /** FILE_NOT_FOUND. */
  stat(path: string): Promise<FileStat>
  /** FILE_NOT_FOUND, NOT_A_FILE, SECRET_FILE_DENIED. The caller reads or destroys the stream. */
  read(path: string, options: { range?: ByteRange; secrets?: boolean }): Promise<{ stat: FileStat; content: Readable }>
  /**
   * Writes a file whole, or leaves the one that was there as it is; makes the directories above it. `ifMatch`: only
   * when the file still has this tag (`*`: any), else PRECONDITION_FAILED; `ifAbsent`: only when there is none.
   */
  write(
    path: string,
    content: Readable,
    options: { maxBytes: number; ifMatch?: string; ifAbsent?: boolean; secrets?: boolean },
    signal: AbortSignal,
  ): Promise<{ stat: FileStat; created: boolean }>
  /** Makes a directory and those above it; false when it was there. */
  makeDirectory(path: string): Promise<boolean>
  /** Removes a file, a link, or a directory with all that is in it; never the workspace itself. FILE_NOT_FOUND. */
  remove(path: string, options: { recursive: boolean }): Promise<void>
  /** FILE_EXISTS unless `overwrite`. */
  move(from: string, to: string, options: { overwrite: boolean; secrets?: boolean }): Promise<void>
  /**
   * The workspace as a gzipped tar, without `.git` and without what looks like a secret unless asked for. A path that is
   * not there: FILE_NOT_FOUND, or nothing with `ifThere`.
   */
  archive(
    options: { paths?: readonly string[]; ifThere?: boolean; git: boolean; secrets: boolean },
    signal: AbortSignal,
  ): Promise<Readable>
  /** Unpacks a gzipped tar; refuses it whole (ARCHIVE_REFUSED) when an entry would leave the workspace. */
  unpack(archive: Readable, limits: ArchiveLimits, signal: AbortSignal): Promise<{ files: number; bytes: number }>
  /** Changes as they happen, several at once; the first list is empty: from then on none is missed. Ends with the signal. */
  watch(signal: AbortSignal): AsyncIterable<readonly FileChange[]>
}

export interface ArchiveLimits {
  maxEntries: number
  /** Unpacked. */
  maxBytes: number
  /** Files that look like secrets may be among them. */
  secrets?: boolean
}

export interface FileChange {
  /** Empty when more has changed than can be told: the tree is to be read again. */
  path: string
  change: 'created' | 'modified' | 'deleted'
}

/** One file that differs from what the workspace began with. */
export interface FileDiff {
  path: string
  /** The former path of what was renamed. */
  from?: string
  status: 'added' | 'modified' | 'deleted' | 'renamed'
  additions: number
  deletions: number
  binary: boolean
  /** Unified; absent for a binary file, and where it is longer than the limit. */
  patch?: string
  truncated: boolean
}

/** A git repository that fills a workspace. */
export interface RepositorySource {
  /** `https://`, `ssh://` or `user@host:path`; never with a password in it. */
  url: string
  /** The branch to begin with; the remote's HEAD unless given. */
  branch?: string
  /** The branch to work on; made from the session's id unless given. */
  workBranch?: string
  /** Commits of history, of the one branch alone; all of every branch unless given. */
  depth?: number
  /** Also what its `.gitmodules` names. */
  submodules?: boolean
  /** The files of Git LFS themselves, in the place of their pointers. */
  lfs?: boolean
  /** What the request gave for git hosts, sealed for its session. */
  sealedCredentials?: string
}

/** What a session is made of: what its workspace begins with, and what its container may use. */
export interface WorkspaceFill {
  resources?: ContainerResources
  repository?: RepositorySource
  /** Texts by path, written after the repository is there. */
  files?: Readonly<Record<string, string>>
}

/** The repository a workspace was filled from. */
export interface WorkspaceRepository {
  url: string
  /** The branch the agent works on. */
  branch: string
  baseBranch: string
  baseCommit: string
  /** Its history is cut off after so many commits. */
  depth?: number
  /** It has the files of Git LFS themselves. */
  lfs?: boolean
}

/** What becomes of the work of a run that completed. */
export interface Delivery {
  runId: string
  message: string
  push: boolean
  pullRequest?: PullRequestOrder
}

export interface PullRequestOrder {
  title?: string
  body?: string
  draft?: boolean
  /** The branch to merge into; the one that was begun with unless given. */
  base?: string
}

export interface Delivered {
  branch: string
  baseCommit: string
  /** Head of the branch; absent when nothing was changed. */
  commit?: string
  pushed: boolean
  pullRequestUrl?: string
}

/** Told while git works. */
export type OnGit = (event: GitData) => void

/** How much a workspace may hold. */
export interface WorkspaceLimits {
  /** On the disk. */
  maxBytes: number
  /** Directories and links among them. */
  maxFiles: number
}

export interface WorkspaceSize {
  bytes: number
  files: number
  /** False when there is more, which was not counted: a limit was passed, or directories lie too deep. */
  whole: boolean
}

/** The directory an agent works in. */
export interface Workspace {
  /** For people. */
  readonly path: string
  readonly files: WorkspaceFiles
  /**
   * What it takes on the disk, what belongs to git included, and with it most of what its agent keeps elsewhere: its
   * home in a container and what lies beside the output of commands. Stops to count where a limit is passed. It is a
   * look and no fence: what runs may write more meanwhile.
   */
  measure(limits: WorkspaceLimits, signal: AbortSignal): Promise<WorkspaceSize>
  /** Undefined when the workspace was not filled from a repository. */
  repository(): Promise<WorkspaceRepository | undefined>
  /**
   * What differs from the start, or from what a run left (`since`, SNAPSHOT_NOT_FOUND), by path. `maxPatchBytes`: longest
   * patch of one file; with 0 there are none. What looks like a secret is told by name alone unless `secrets`.
   */
  diff(
    options: { since?: string; limit: number; maxPatchBytes: number; secrets?: boolean },
    signal: AbortSignal,
  ): Promise<{ files: readonly FileDiff[]; truncated: boolean }>
  /** The same as one unified patch that `git apply` takes. */
  patch(options: { since?: string; secrets?: boolean }, signal: AbortSignal): Promise<Readable>
  /**
   * Remembers the files as they are now as what a run left, for `since` and `reset`. The newest runs are remembered, as
   * many as the executor is set to. Does nothing where that is none.
   */
  checkpoint(runId: string, signal: AbortSignal): Promise<void>
  /**
   * Makes the files what they were at the start, or after a run (SNAPSHOT_NOT_FOUND): what came since is removed, ignored
   * or not. Git's own state stays as it is. WORKSPACE_ERROR when something could not be put back, after all else was.
   */
  reset(after: string | undefined, signal: AbortSignal): Promise<void>
  /**
   * Commits what was changed, and pushes it and opens a pull request if asked to; what was done already is not done
   * again. PUSH_REJECTED, REPOSITORY_AUTH, PULL_REQUEST_FAILED, WORKSPACE_ERROR: the work is kept in any case.
   */
  deliver(delivery: Delivery, ctx: CallContext, onGit: OnGit): Promise<Delivered>
}

/** The workspaces of an executor's sessions; no engine is needed to reach one. */
export interface Workspaces {
  /**
   * Throws what is wrong with a fill, and with what is to become of the work in it, as far as that can be told at once:
   * REPOSITORY_REFUSED, UNSUPPORTED_OPTION for a pull request that cannot be opened, or a code of a bad path.
   */
  check(fill: WorkspaceFill, delivery?: Pick<Delivery, 'pullRequest'>): void
  /** Undefined when the session has none yet, or no longer. */
  find(sessionId: string): Promise<Workspace | undefined>
  /** The one it has, or a new one that is empty. */
  make(sessionId: string): Promise<Workspace>
  /** Removes the one of a session that is not open; idempotent, and there need be none. */
  remove(sessionId: string): Promise<void>
}
