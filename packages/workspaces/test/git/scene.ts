import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execFileSync } from 'node:child_process'
import type { TestContext } from 'node:test'
import type { CallContext, Delivery, GitData, Log } from '@opencode-gateway/contracts'
import { createGitServer, type GitServer } from '@opencode-gateway/executor-testing'
import { createGit, type Git, type GitOptions } from '../../src/index.ts'

export const PATH = process.env['PATH'] ?? '/usr/bin:/bin'
export const quiet: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => quiet,
}

export interface GitScene {
  server: GitServer
  git: Git
  clone: Git['fill']
  /** Holds everything below. */
  root: string
  cacheDirectory: string
  events: GitData[]
  onGit(event: GitData): void
  /** An empty directory. */
  place(name?: string): Promise<{ directory: string; workBranch: string }>
  ctx(signal?: AbortSignal): CallContext
  /** Runs git as the agent would, with the workspace's configuration. */
  asAgent(directory: string, ...args: readonly string[]): string
}

/** A server, and a Git that may speak to it, for one test. */
export async function gitScene(t: TestContext, options: Partial<GitOptions> = {}): Promise<GitScene> {
  const root = await mkdtemp(path.join(tmpdir(), 'git-scene-'))
  t.after(async () => await rm(root, { recursive: true, force: true, maxRetries: 3 }))
  const server = await createGitServer({ path: PATH })
  t.after(async () => await server.close())
  const cacheDirectory = path.join(root, 'cache')
  const events: GitData[] = []
  const git = createGit({
    cacheDirectory,
    path: PATH,
    allowedHosts: [server.host],
    credentials: new Map(),
    author: { name: 'Gateway', email: 'gateway@example.com' },
    limits: { cloneTimeoutMs: 60_000, pushTimeoutMs: 60_000, maxBytes: 1_000_000_000 },
    ...options,
  })
  return {
    server,
    git,
    clone: git.fill,
    root,
    cacheDirectory,
    events,
    onGit: (event) => void events.push(event),
    async place(name = 'one') {
      const directory = path.join(root, name)
      await mkdir(directory)
      return { directory, workBranch: `opencode/${name}` }
    },
    ctx: (signal = t.signal) => ({ signal, log: quiet }),
    asAgent: (directory, ...args) =>
      execFileSync('git', [...args], {
        cwd: directory,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
        env: { PATH, HOME: root, GIT_CONFIG_NOSYSTEM: '1' },
      }).trimEnd(),
  }
}

export function delivery(more: Partial<Delivery> = {}): Delivery {
  return { runId: 'run-1', message: 'Add a greeting', push: false, ...more }
}
