import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fieldsOf } from '../read.ts'
import { readLiteral } from './literal.ts'

/** Providers as the engine's own catalogue has them, by name. */
export type Catalogue = Readonly<Record<string, unknown>>

/** Most that is read after the beginning of a provider, in bytes. */
const MAX_PROVIDER_BYTES = 4_000_000

/**
 * Reads providers out of the catalogue that is built into the engine's executable, which it would otherwise take whole:
 * ten times the memory and the time. What was read is kept in `directory` for this executable. Undefined when one of
 * them is not found as it is expected: then the engine has to take its whole catalogue.
 */
export async function readCatalogue(options: {
  binary: string
  directory: string
  providers: readonly string[]
}): Promise<Catalogue | undefined> {
  const { binary, directory, providers } = options
  const wanted = [...providers].sort()
  if (wanted.length === 0) return {}
  const { size, mtimeMs } = await stat(binary)
  const key = createHash('sha256')
    .update(JSON.stringify([binary, size, mtimeMs, wanted]))
    .digest('hex')
    .slice(0, 16)
  const file = path.join(directory, `catalogue-${key}.json`)
  const kept = await readKept(file)
  if (kept) return kept
  const found = findProviders(await readFile(binary), wanted)
  if (!found) return undefined
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await writeFile(`${file}.new`, JSON.stringify(found))
  await rename(`${file}.new`, file)
  return found
}

/** Undefined when there is nothing, or nothing that can be read: it is made anew. */
async function readKept(file: string): Promise<Catalogue | undefined> {
  try {
    return fieldsOf(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return undefined
  }
}

function findProviders(program: Buffer, names: readonly string[]): Catalogue | undefined {
  const found = names.map((name) => [name, findProvider(program, name)] as const)
  return found.every(([, provider]) => provider !== undefined) ? Object.fromEntries(found) : undefined
}

/** In the program it is a literal of an object: `anthropic:{id:"anthropic",env:[…],…,models:{…}}`. */
function findProvider(program: Buffer, name: string): unknown {
  const begin = `{id:${JSON.stringify(name)},env:[`
  for (let at = program.indexOf(begin); at !== -1; at = program.indexOf(begin, at + 1)) {
    const provider = fieldsOf(readLiteral(program.toString('utf8', at, at + MAX_PROVIDER_BYTES)))
    if (provider?.['id'] === name && fieldsOf(provider['models'])) return provider
  }
  return undefined
}
