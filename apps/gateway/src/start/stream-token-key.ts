import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateSealingKey, parseSealingKey, type SealingKey } from '@opencode-gateway/sealing'

const FILE = 'stream-token.key'

/**
 * The key that seals stream tokens. Made at the first start and kept in the directory, so that readers come back after a
 * restart; a file with anything else in it is replaced, which ends the tokens there are.
 */
export async function keepStreamTokenKey(dataDir: string): Promise<SealingKey> {
  const file = join(dataDir, FILE)
  const kept = parseSealingKey((await readIfThere(file)).trim())
  if (kept !== undefined) return kept
  const draft = `${file}.new`
  const { key, text } = generateSealingKey()
  await writeFile(draft, text, { mode: 0o600, flush: true })
  await rename(draft, file)
  return key
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (err) {
    if (err instanceof Error && 'code' in err && err.code === 'ENOENT') return ''
    throw err
  }
}
