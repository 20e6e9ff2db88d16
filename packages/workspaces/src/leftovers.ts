import { lstat, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Log } from '@opencode-gateway/contracts'
import type { Directories } from './directories.ts'

/** Where the calls of one life of the gateway keep what is not complete yet, beside the workspace they are for. */
export const stagingIn = (aside: string, life: string): string => path.join(filesIn(aside), life)

/** As `life` is named, and what a life before there were any left. */
const OURS = /^(?:(?:upload|unpack)-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * Removes what calls of former lives left beside the workspaces when they were killed, and nothing that a call of this
 * one is at. What cannot be removed is logged, and tried again at the next start.
 */
export async function clearLeftovers(directories: Directories, life: string, log: Log): Promise<void> {
  for (const sessionId of await directories.list()) {
    const place = filesIn(directories.beside(sessionId, 'aside'))
    try {
      const names = (await namesIn(place)).filter((name) => name !== life && OURS.test(name))
      for (const name of names) await rm(path.join(place, name), { recursive: true, force: true, maxRetries: 3 })
      if (names.length > 0)
        log.info({ sessionId, count: names.length }, 'what a former life had not completed is removed')
    } catch (err) {
      log.warn({ sessionId, err }, 'what a former life had not completed could not be removed')
    }
  }
}

const filesIn = (aside: string): string => path.join(aside, 'files')

/** None where there is no such directory; a link that took its place leads nowhere of ours. */
async function namesIn(place: string): Promise<readonly string[]> {
  try {
    return (await lstat(place)).isDirectory() ? await readdir(place) : []
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
