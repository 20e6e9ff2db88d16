import { spawn, type ChildProcessByStdio, type StdioOptions } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { GatewayError } from '@opencode-gateway/contracts'

/** A repository of ours that no agent's work tree belongs to: what git compares is in it. */
export interface BareRepository {
  /** Where git and nothing else is looked for. */
  searchPath: string
  directory: string
}

/** As `git init --bare` does it, without what is there for people. */
export async function makeBareRepository(directory: string): Promise<void> {
  await mkdir(path.join(directory, 'objects'), { recursive: true, mode: 0o700 })
  await mkdir(path.join(directory, 'refs'))
  await writeFile(path.join(directory, 'HEAD'), 'ref: refs/heads/none\n')
  await writeFile(path.join(directory, 'config'), '[core]\n\trepositoryformatversion = 0\n\tbare = true\n')
}

/** Whatever the configuration of the machine says; the repository is too short-lived for anything to be synced. */
const SETTINGS = {
  'core.hooksPath': '/dev/null',
  'core.attributesFile': '/dev/null',
  'core.fsmonitor': 'false',
  'core.autocrlf': 'false',
  'core.protectNTFS': 'false',
  'core.protectHFS': 'false',
  'core.fsync': 'none',
  'core.compression': '0',
  'core.quotePath': 'true',
  'fastimport.unpackLimit': '0',
}

export type Git = ChildProcessByStdio<null, Readable | null, Readable>

/** `input`, `output`: descriptors of open files. Killed when the signal aborts. */
export function startGit(
  { searchPath, directory }: BareRepository,
  args: readonly string[],
  { input, output }: { input?: number; output?: number },
  signal: AbortSignal,
): Git {
  const stdio: StdioOptions = [input ?? 'ignore', output ?? 'pipe', 'pipe']
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const git = spawn('git', [...settings, `--git-dir=${directory}`, ...args], {
    cwd: directory,
    stdio,
    signal,
    killSignal: 'SIGKILL',
    env: {
      PATH: searchPath,
      HOME: directory,
      LC_ALL: 'C',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_ATTR_NOSYSTEM: '1',
      GIT_NO_REPLACE_OBJECTS: '1',
      GIT_OPTIONAL_LOCKS: '0',
      GIT_TERMINAL_PROMPT: '0',
    },
  })
  return git as Git
}

const SHOWN_BYTES = 2000

/** Settles when git has ended well and its pipes are closed. WORKSPACE_ERROR with what it said, or the abort's reason. */
export function ended(git: Git, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let said = ''
  git.stderr.on('data', (chunk: Buffer) => {
    if (said.length < SHOWN_BYTES) said += chunk.toString('utf8')
  })
  let failure: Error | undefined
  git.once('error', (error) => {
    failure = error
    // Nothing was started, so nothing will be closed.
    if (git.pid === undefined) reject(failed(error.message, error))
  })
  git.once('close', (code, killedBy) => {
    if (signal.aborted) reject(signal.reason)
    else if (code === 0 && !failure) resolve()
    else reject(failed(`${killedBy ?? `code ${code}`} ${said.slice(0, SHOWN_BYTES).trim()}`, failure))
  })
  return promise
}

const failed = (reason: string, cause: unknown): GatewayError =>
  new GatewayError('WORKSPACE_ERROR', `Git could not compare the workspace: ${reason}`, { cause })
