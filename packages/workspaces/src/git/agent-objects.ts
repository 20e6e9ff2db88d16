import { link, lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { ExecutorError } from '@opencode-gateway/contracts'
import type { HeldDirectory } from './held-directory.ts'

const FOLDER = /^(?:pack|[0-9a-f]{2})$/
const LOOSE = /^(?:[0-9a-f]{38}|[0-9a-f]{62})$/
const PACK = /^pack-(?:[0-9a-f]{40}|[0-9a-f]{64})\.(?:pack|idx)$/
const MAX_FILES = 500_000

/** What was taken: `folder/name` of every loose object. */
export type TakenObjects = ReadonlySet<string>

/**
 * Brings the objects of the agent's repository into one of ours: by link where that can be, else as a copy. Plain files
 * alone, and none of the lists by which git would go on to other directories. `known` holds packs that we have.
 */
export async function takeObjects(
  git: HeldDirectory,
  to: string,
  known: string,
  signal: AbortSignal,
): Promise<TakenObjects> {
  const taken = new Set<string>()
  const packs = new Set(await readdir(path.join(known, 'pack')).catch(() => []))
  await using objects = await git.enter('objects')
  if (objects === undefined)
    throw new ExecutorError('WORKSPACE_ERROR', 'the repository of the workspace has no objects')
  let files = 0
  for (const folder of await objects.names()) {
    if (!FOLDER.test(folder)) continue
    await using from = await objects.enter(folder)
    if (from === undefined) continue
    await mkdir(path.join(to, folder), { recursive: true })
    for (const name of await from.names()) {
      if (!(folder === 'pack' ? PACK : LOOSE).test(name) || packs.has(name)) continue
      signal.throwIfAborted()
      files += 1
      if (files > MAX_FILES)
        throw new ExecutorError('WORKSPACE_ERROR', `the repository has more than ${MAX_FILES} objects`)
      await take(from, name, path.join(to, folder, name))
      taken.add(`${folder}/${name}`)
    }
  }
  return taken
}

async function take(from: HeldDirectory, name: string, to: string): Promise<void> {
  try {
    await link(`${from.path}/${name}`, to)
    // The link may be one to a link: what came is looked at, not what was there before.
    if ((await lstat(to)).isFile()) return
    await rm(to, { force: true })
  } catch {
    // Another file system, or an owner whose files we may not link.
  }
  await using file = await from.open(name)
  if (file !== undefined) await writeFile(to, file.createReadStream({ autoClose: false }), { mode: 0o444 })
}

/** Brings into the agent's repository what ours has and it does not. */
export async function giveObjects(from: string, taken: TakenObjects, git: HeldDirectory): Promise<void> {
  for (const folder of await readdir(from)) {
    if (!/^[0-9a-f]{2}$/.test(folder)) continue
    const names = (await readdir(path.join(from, folder))).filter(
      (name) => LOOSE.test(name) && !taken.has(`${folder}/${name}`),
    )
    if (names.length === 0) continue
    await using to = await git.make('objects', folder)
    for (const name of names) await to.replace(name, await readFile(path.join(from, folder, name)), 0o444)
  }
}
