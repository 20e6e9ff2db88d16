import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { ExecutorError } from '@opencode-gateway/contracts'
import type { HeldDirectory } from './held-directory.ts'
import type { GitRunner } from './runner.ts'

const MAX_INDEX_BYTES = 256 * 1024 * 1024
const MAX_SHALLOW_BYTES = 1024 * 1024
const GITLINK = '160000'

/**
 * Names of files that the agent has put into its index, in latin1, which keeps every byte; those that the ignore rules
 * exclude are in no other list. None when git cannot read it: then the files themselves tell what there is.
 */
export async function stagedNames(
  git: GitRunner,
  agent: HeldDirectory,
  gitDirectory: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  await using file = await agent.open('index')
  if (file === undefined || (await file.stat()).size > MAX_INDEX_BYTES) return []
  const copy = path.join(gitDirectory, 'index')
  try {
    await writeFile(copy, file.createReadStream({ autoClose: false }), { mode: 0o600 })
    const args = [`--git-dir=${gitDirectory}`, 'ls-files', '-z', '--stage']
    const { exitCode, stdout } = await git.run(args, { signal })
    if (exitCode !== 0) return []
    const entries = stdout.toString('latin1').split('\0').slice(0, -1)
    const files = entries.filter((entry) => !entry.startsWith(GITLINK))
    return [...new Set(files.map((entry) => entry.slice(entry.indexOf('\t') + 1)))]
  } finally {
    await rm(copy, { force: true })
  }
}

/** Tells a git directory of ours where the agent's history is cut off. */
export async function takeShallow(agent: HeldDirectory, gitDirectory: string): Promise<void> {
  const text = await agent.read('shallow', MAX_SHALLOW_BYTES)
  if (text === undefined) return
  if (!/^(?:(?:[0-9a-f]{40}|[0-9a-f]{64})\n)*$/.test(text)) {
    throw new ExecutorError('WORKSPACE_ERROR', "the workspace's repository has a broken list of where its history ends")
  }
  await writeFile(path.join(gitDirectory, 'shallow'), text)
}
