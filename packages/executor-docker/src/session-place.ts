import { randomBytes } from 'node:crypto'
import { chmod, lstat, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { copyTree, removeTree } from '@opencode-gateway/workspaces'
import type { Directories } from '@opencode-gateway/workspaces'
import { handOver } from './container/hand-over.ts'
import { inside, socketNames } from './container/inside.ts'
import type { ContainerUser } from './options.ts'

/** What of a session is mounted into its container, by its path on this machine. */
export interface PlaceDirectories {
  workspace: string
  /** The engine's own state: the conversation outlives the container in it. */
  home: string
  /** Commands and their output. */
  shell: string
  /** Where the container makes its socket; it may put anything else there. */
  sockets: string
  /** Where the sockets to the models and to other hosts are, which the container can only connect to. */
  models: string
}

/** Where the container can write, besides the workspace and the output of commands. */
export function writableBeside({ home, sockets }: PlaceDirectories): readonly string[] {
  return [home, sockets]
}

/** The directories of all sessions. */
export interface Places {
  /** Where the engines' directories are, each below the name of its session. */
  readonly area: string
  /** Makes the root, and finds or makes the mark of whose containers they are. */
  prepare(): Promise<{ owner: string }>
  of(sessionId: string): PlaceDirectories
  /** What is below the area, of a session or of what is to be one. */
  engineOf(name: string): Pick<PlaceDirectories, 'home' | 'sockets' | 'models'>
  /** Where it is written which warm container the session has taken. */
  claimOf(sessionId: string): string
  /** The name under which the session's container was made, when that is not the session's. */
  madeAs(sessionId: string): Promise<string | undefined>
  /** Names in the area. */
  list(): Promise<readonly string[]>
  /** Whether the session has had an engine. */
  exists(sessionId: string): Promise<boolean>
  /** Makes what is missing, and hands to the container's user what is its own. */
  ready(sessionId: string): Promise<PlaceDirectories>
  /** Gives a new session what the other one's engine has; no container of either runs. WORKSPACE_FULL. */
  copy(fromSessionId: string, toSessionId: string, signal: AbortSignal): Promise<void>
  /** The same for directories that are nobody's yet; the workspace is there. */
  furnish(place: PlaceDirectories): Promise<PlaceDirectories>
  /** Hands what the workspace was filled with to the container's user. */
  share(sessionId: string): Promise<void>
  /** Leaves nothing of the engine; the workspace stays. The container is gone. */
  remove(sessionId: string): Promise<void>
}

const AREA = '.engine'
const OWNER = '.owner'
const CLAIM = 'container'

export interface PlacesOptions {
  root: string
  directories: Directories
  user: ContainerUser
  /** Most of what an engine has that is copied. */
  maxCopyBytes: number
}

export function createPlaces({ root, directories, user, maxCopyBytes }: PlacesOptions): Places {
  const area = path.join(root, AREA)
  const engineOf: Places['engineOf'] = (name) => ({
    home: path.join(area, name, 'home'),
    sockets: path.join(area, name, 'sockets'),
    models: path.join(area, name, 'models'),
  })
  const of = (sessionId: string): PlaceDirectories => {
    // Its name has been checked there.
    const workspace = directories.pathOf(sessionId)
    return { workspace, shell: directories.beside(sessionId, 'shell'), ...engineOf(path.basename(workspace)) }
  }
  const claimOf = (sessionId: string): string => path.join(path.dirname(of(sessionId).home), CLAIM)
  const furnish: Places['furnish'] = async (place) => {
    // Only what no container has written in may be made anew: the socket of one that is gone must not be found.
    await removeTree(place.sockets)
    for (const directory of [place.home, place.sockets, place.models, place.shell]) {
      await mkdir(directory, { recursive: true, mode: 0o700 })
    }
    await symlink(inside.modelsSocket, path.join(place.sockets, socketNames.models))
    await symlink(inside.egressSocket, path.join(place.sockets, socketNames.egress))
    // The container finds its way through these, and makes nothing in them; who is outside finds none to them.
    for (const directory of [place.models, place.shell]) await chmod(directory, 0o755)
    await handOver(place.workspace, user)
    for (const directory of [place.home, place.sockets]) await handOver(directory, user, { along: [] })
    return place
  }
  return {
    area,
    of,
    engineOf,
    claimOf,
    async madeAs(sessionId) {
      const name = await readFile(claimOf(sessionId), 'utf8').catch((error: unknown) => {
        if (isMissing(error)) return ''
        throw error
      })
      return name === '' ? undefined : name
    },
    list: () => readdir(area),
    async prepare() {
      await mkdir(area, { recursive: true, mode: 0o700 })
      return { owner: await ownerOf(path.join(area, OWNER)) }
    },
    async exists(sessionId) {
      return (await lstat(of(sessionId).home).catch(() => undefined))?.isDirectory() ?? false
    },
    furnish,
    async ready(sessionId) {
      await rm(claimOf(sessionId), { force: true })
      return await furnish(of(sessionId))
    },
    async copy(from, to, signal) {
      const { home } = of(to)
      await mkdir(home, { recursive: true, mode: 0o700 })
      await copyTree(of(from).home, home, { maxBytes: maxCopyBytes, what: "The agent's home directory" }, signal)
      await handOver(home, user)
    },
    share: (sessionId) => handOver(of(sessionId).workspace, user),
    async remove(sessionId) {
      await removeTree(path.dirname(of(sessionId).home))
    },
  }
}

/** Written once; whoever has the root has the containers. */
async function ownerOf(file: string): Promise<string> {
  try {
    await writeFile(file, randomBytes(16).toString('hex'), { flag: 'wx', flush: true })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  return (await readFile(file, 'utf8')).trim()
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
