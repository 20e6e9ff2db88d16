import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { answerByBackend } from './backend.ts'
import { createLfsStore, type LfsStore } from './lfs-store.ts'
import { createRepositories, type RepositoryFiles } from './repositories.ts'

/** A real git server over HTTP on a free port of 127.0.0.1: `git http-backend` behind Node's server. */
export interface GitServer {
  /** "http://127.0.0.1:port"; a repository is at `url/name.git`. */
  readonly url: string
  /** "127.0.0.1:port", as an allow-list and credentials name it. */
  readonly host: string
  /** Makes a repository whose branch `main` has one commit with these files, or none at all without files; its URL. */
  addRepository(name: string, files?: RepositoryFiles): Promise<string>
  /** One more commit on a branch, made from `main` unless it is there; its id. */
  commit(name: string, branch: string, files: RepositoryFiles, message?: string): Promise<string>
  /** Runs git in a repository; its output without the last line's end. */
  git(name: string, ...args: readonly string[]): Promise<string>
  /** Where a repository is, for its hooks and configuration. */
  directoryOf(name: string): string
  /** The large files of its repositories, by the API of Git LFS at `url/name.git/info/lfs`. */
  readonly lfs: LfsStore
  /** Everybody must authenticate so from now on; undefined: nobody. */
  requireAuth(account: { username: string; password: string } | undefined): void
  /** Answers requests such as "GET /path" with a redirect; undefined: no more. */
  redirect(request: RegExp, location: string | undefined): void
  /** Sends no more than this of the body of answers to such requests, until released or closed. */
  stall(request: RegExp, afterBytes: number): { reached: Promise<void>; release(): void }
  /** The latest thousand, oldest first: "GET /path?query". */
  readonly requests: readonly string[]
  /** Ends everything and removes the repositories; idempotent. */
  close(): Promise<void>
}

export interface GitServerOptions {
  /** Where `git` is found. */
  path?: string
}

const MAX_REQUESTS = 1000

interface Stall {
  request: RegExp
  afterBytes: number
  reached: PromiseWithResolvers<void>
  released: PromiseWithResolvers<void>
}

export async function createGitServer(options: GitServerOptions = {}): Promise<GitServer> {
  const root = await mkdtemp(path.join(tmpdir(), 'git-server-'))
  const environment = serverEnvironment(root, options.path ?? '/usr/local/bin:/usr/bin:/bin')
  const repositories = createRepositories(root, environment)
  const lfs = createLfsStore()
  const requests: string[] = []
  const redirects = new Map<string, { request: RegExp; location: string }>()
  const answers = new Set<Promise<void>>()
  const stalls: Stall[] = []
  let authorization: string | undefined

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const line = `${request.method ?? ''} ${request.url ?? ''}`
    if (requests.push(line) > MAX_REQUESTS) requests.shift()
    const redirected = [...redirects.values()].find((redirect) => redirect.request.test(line))
    if (redirected !== undefined) {
      response.writeHead(302, { location: redirected.location }).end()
    } else if (authorization !== undefined && request.headers.authorization !== authorization) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end()
    } else {
      if (await lfs.answer(request, response)) return
      const stall = stalls.find((stall) => stall.request.test(line))
      await answerByBackend(request, response, {
        root,
        environment,
        async beforeBytes(sent, gone) {
          if (stall === undefined || sent < stall.afterBytes) return
          stall.reached.resolve()
          await Promise.race([stall.released.promise, gone])
        },
      })
    }
  }

  const server = createServer((request, response) => {
    const answered = answer(request, response)
      .catch(() => void response.destroy())
      .finally(() => answers.delete(answered))
    answers.add(answered)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    url: `http://${host}`,
    host,
    requests,
    lfs,
    async addRepository(name, files) {
      await repositories.create(name)
      if (files !== undefined) await repositories.commit(name, 'main', files, 'Begin')
      return `http://${host}/${name}.git`
    },
    async commit(name, branch, files, message = 'More') {
      const isThere = await repositories
        .git(name, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}`)
        .catch(() => undefined)
      if (isThere === undefined) await repositories.git(name, 'branch', branch, 'main')
      return await repositories.commit(name, branch, files, message)
    },
    git: repositories.git,
    directoryOf: repositories.directoryOf,
    requireAuth(account) {
      const basic =
        account === undefined ? '' : Buffer.from(`${account.username}:${account.password}`).toString('base64')
      authorization = account === undefined ? undefined : `Basic ${basic}`
    },
    redirect(request, location) {
      if (location === undefined) redirects.delete(request.source)
      else redirects.set(request.source, { request, location })
    },
    stall(request, afterBytes) {
      const stall = {
        request,
        afterBytes,
        reached: Promise.withResolvers<void>(),
        released: Promise.withResolvers<void>(),
      }
      stalls.push(stall)
      return {
        reached: stall.reached.promise,
        release() {
          stalls.splice(stalls.indexOf(stall), 1)
          stall.released.resolve()
        },
      }
    },
    async close() {
      server.closeAllConnections()
      if (server.listening) {
        server.close()
        await once(server, 'close')
      }
      await Promise.all(answers)
      await rm(root, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

function serverEnvironment(home: string, path: string): Record<string, string> {
  return {
    PATH: path,
    HOME: home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'http.receivepack',
    GIT_CONFIG_VALUE_0: 'true',
  }
}
