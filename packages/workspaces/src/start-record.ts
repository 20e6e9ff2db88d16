import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { WorkspaceRepository } from '@opencode-gateway/contracts'

/** What is known of the beginning of a workspace; written once it is filled. */
export interface StartRecord {
  repository?: WorkspaceRepository
  /** Given with the request, sealed for this session: a copy of the workspace does not have them. */
  credentials?: { sealed: string; sessionId: string }
  /** A snapshot was taken; without one the workspace was empty. */
  snapshot: boolean
}

const NAME = 'start.json'

/** Undefined until the workspace has been filled. */
export async function readStart(aside: string): Promise<StartRecord | undefined> {
  try {
    return JSON.parse(await readFile(path.join(aside, NAME), 'utf8')) as StartRecord
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Appears whole or not at all. */
export async function writeStart(aside: string, record: StartRecord): Promise<void> {
  await mkdir(aside, { recursive: true, mode: 0o700 })
  const file = path.join(aside, NAME)
  await writeFile(`${file}.new`, JSON.stringify(record), { flush: true })
  await rename(`${file}.new`, file)
}
