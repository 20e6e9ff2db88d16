import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import type { FilesFixture } from '@opencode-gateway/executor-testing/workspace-suite'
import { createWorkspaceFiles } from '../src/files/files.ts'
import type { WorkspaceFilesOptions } from '../src/files/files.ts'

const run = promisify(execFile)

export interface LocalFixture extends FilesFixture {
  readonly root: string
  readonly aside: string
}

/** A workspace in a temporary directory, and its agent a shell. */
export async function makeFiles(options: Partial<WorkspaceFilesOptions> = {}): Promise<LocalFixture> {
  const directory = await realpath(await mkdtemp(path.join(tmpdir(), 'files-')))
  const [root, aside, outside] = ['workspace', 'aside', 'outside'].map((name) => path.join(directory, name))
  if (root === undefined || aside === undefined || outside === undefined)
    throw new Error('three names make three paths')
  await Promise.all([mkdir(root), mkdir(outside)])
  await writeFile(path.join(outside, 'precious'), 'kept')
  return {
    root,
    aside,
    outside,
    files: createWorkspaceFiles(root, { aside, ...options }),
    sh: async (command) => (await run('sh', ['-c', command], { cwd: root, maxBuffer: 64 * 1024 * 1024 })).stdout,
    // Deeper than a path can say.
    close: () => rm(directory, { recursive: true, force: true, maxRetries: 3 }),
  }
}
