import { lstat, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Directories } from '@opencode-gateway/workspaces'
import type { PlaceDirectories, Places } from '../session-place.ts'

/** The directories of containers that are no session's yet. */
export interface WarmPlaces {
  /** Makes them, empty. */
  make(warmId: string): Promise<PlaceDirectories>
  /**
   * Makes them those of a session, under whose names they are from now on: what is mounted is a directory and not its
   * name. Throws when the session has any already, and leaves those alone.
   */
  claim(warmId: string, sessionId: string): Promise<void>
  remove(warmId: string): Promise<void>
  /** Of this gateway and of those before it. */
  list(): Promise<readonly string[]>
}

const PREFIX = 'warm-'

export const isWarmId = (id: string): boolean => id.startsWith(PREFIX)
export const warmIdOf = (name: string): string => `${PREFIX}${name}`

export function createWarmPlaces(directories: Directories, places: Places): WarmPlaces {
  const { area } = places
  const inWarm = (warmId: string, name: string): string => path.join(area, warmId, name)
  return {
    async make(warmId) {
      const own = { workspace: inWarm(warmId, 'workspace'), shell: inWarm(warmId, 'shell') }
      await mkdir(path.join(area, warmId), { mode: 0o700 })
      await mkdir(own.workspace, { mode: 0o700 })
      return await places.furnish({ ...places.engineOf(warmId), ...own })
    },
    async claim(warmId, sessionId) {
      const own = path.dirname(places.of(sessionId).home)
      if (await lstat(own).catch(() => undefined)) throw new Error(`the session "${sessionId}" has had an engine`)
      await rename(path.join(area, warmId), own)
      try {
        await directories.adopt(sessionId, path.join(own, 'workspace'))
        await rename(path.join(own, 'shell'), places.of(sessionId).shell)
        // Last: without it the container is nobody's, and a sweep removes it.
        await writeFile(places.claimOf(sessionId), warmId)
      } catch (error) {
        await rm(own, { recursive: true, force: true, maxRetries: 3 })
        throw error
      }
    },
    async remove(warmId) {
      await rm(path.join(area, warmId), { recursive: true, force: true, maxRetries: 3 })
    },
    list: async () => (await readdir(area)).filter(isWarmId),
  }
}
