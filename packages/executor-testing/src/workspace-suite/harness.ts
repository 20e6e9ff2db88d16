import type { WorkspaceFiles } from '@opencode-gateway/contracts'

/** A workspace for one case, reached from both sides. */
export interface FilesFixture {
  readonly files: WorkspaceFiles
  /** Runs a shell command in the workspace, as the agent would; settles with its output, rejects when it fails. */
  sh(command: string): Promise<string>
  /** A directory that the agent can reach, outside of the workspace; it has a file `precious` with `kept` in it. */
  readonly outside: string
  /** Frees everything. */
  close(): Promise<void>
}

export interface FilesHarness {
  readonly name: string
  make(): Promise<FilesFixture>
}

export interface FilesScene extends Omit<FilesFixture, 'close'> {
  /** Aborted when the case has taken too long. */
  readonly signal: AbortSignal
}

/** One statement about the files of workspaces. `run` rejects when it does not hold. */
export interface FilesCase {
  readonly name: string
  run(scene: FilesScene): Promise<void>
}
