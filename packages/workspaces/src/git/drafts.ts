import { randomUUID } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Log } from '@opencode-gateway/contracts'

/** Directories that are removed, or get another name, once the call that needs them has ended. */
export interface Drafts {
  /** A path where nothing is. */
  next(): string
  /** Removes what calls of former lives left when they were killed; what cannot be removed is logged. */
  clear(log: Log): Promise<void>
}

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
/** As they are named, and as they were by gateways that did not tell one life from another. */
const OURS = new RegExp(`^(?:draft-)?${UUID}(?:\\.${UUID})?$`)

/** Below a directory of the gateway's own; `life` names what is its own in there. */
export function createDrafts(root: string, life: string): Drafts {
  const own = `draft-${life}.`
  return {
    next: () => path.join(root, `${own}${randomUUID()}`),
    async clear(log) {
      try {
        const names = (await namesIn(root)).filter((name) => OURS.test(name) && !name.startsWith(own))
        for (const name of names) await rm(path.join(root, name), { recursive: true, force: true, maxRetries: 3 })
        if (names.length > 0) log.info({ root, count: names.length }, 'what a former life had not completed is removed')
      } catch (err) {
        log.warn({ root, err }, 'what a former life had not completed could not be removed')
      }
    },
  }
}

async function namesIn(root: string): Promise<readonly string[]> {
  try {
    return await readdir(root)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
