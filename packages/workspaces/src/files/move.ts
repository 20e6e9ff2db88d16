import { lstatSync, renameSync } from 'node:fs'
import { GatewayError } from '@opencode-gateway/contracts'
import type { Tree } from './directory.ts'
import { parsePath, placeOf, quoted } from './path.ts'
import { requireNoGit, requireNoSecret } from './protected-names.ts'
import { missing } from './read.ts'
import { fileError, systemCode } from './system-errors.ts'

export interface MoveOptions {
  overwrite: boolean
  secrets?: boolean
}

/** A link is moved itself. Makes the directories above the new place. */
export async function moveFile(tree: Tree, from: string, to: string, options: MoveOptions): Promise<void> {
  const [source, target] = [placeIn(from, options), placeIn(to, options)]
  try {
    await using sourceDirectory = await tree.open(source.above)
    if (look(sourceDirectory.at(source.name)) === undefined) throw missing(from)
    await using targetDirectory = await tree.open(target.above, { make: true })
    await sourceDirectory.confirm()
    await targetDirectory.confirm()
    const found = look(targetDirectory.at(target.name))
    if (found !== undefined && !options.overwrite)
      throw new GatewayError('FILE_EXISTS', `${quoted(to)} is there already. Ask for "overwrite" to replace it.`)
    if (found?.isSymbolicLink()) throw new GatewayError('LINK_DENIED', `${quoted(to)} is a link.`)
    // No pause between the look and the change.
    renameSync(sourceDirectory.at(source.name), targetDirectory.at(target.name))
    await targetDirectory.sync()
  } catch (error) {
    if (systemCode(error) === 'EINVAL')
      throw new GatewayError('INVALID_REQUEST', `${quoted(from)} cannot be moved into itself.`, { cause: error })
    throw fileError(error, `${from} → ${to}`)
  }
}

function placeIn(path: string, { secrets }: MoveOptions): { above: readonly string[]; name: string } {
  const names = parsePath(path)
  const place = placeOf(names)
  if (place === undefined) throw new GatewayError('FORBIDDEN', 'The workspace itself is not moved or replaced.')
  requireNoGit(names)
  // Under another name it would be one no longer.
  requireNoSecret(names, secrets)
  return place
}

const look = (path: string) => lstatSync(path, { throwIfNoEntry: false })
