import type { GitRunner } from '../runner.ts'
import { parsePointer, POINTER_LIMIT_BYTES, type Pointer } from './pointer.ts'

/** Which of these blobs are pointers, by the name of the blob; those that are too long for one are not read. */
export async function pointersIn(
  git: GitRunner,
  gitDirectory: string,
  blobs: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Pointer>> {
  const ask = async (mode: string, names: readonly string[]): Promise<string> =>
    await git.read([`--git-dir=${gitDirectory}`, 'cat-file', mode], {
      signal,
      input: names.map((name) => `${name}\n`).join(''),
      encoding: 'latin1',
    })
  const small = (await ask('--batch-check', [...new Set(blobs)])).split('\n').flatMap((line) => {
    const [name = '', type, size] = line.split(' ')
    return type === 'blob' && Number(size) < POINTER_LIMIT_BYTES ? [name] : []
  })
  const found = new Map<string, Pointer>()
  for (let index = 0; index < small.length; index += BLOBS_AT_ONCE) {
    const text = await ask('--batch', small.slice(index, index + BLOBS_AT_ONCE))
    for (let at = 0; at < text.length;) {
      const head = text.slice(at, text.indexOf('\n', at))
      const [name = '', , size = ''] = head.split(' ')
      const begin = at + head.length + 1
      const pointer = parsePointer(text.slice(begin, begin + Number(size)))
      if (pointer) found.set(name, pointer)
      at = begin + Number(size) + 1
    }
  }
  return found
}

/** What git may write at once is bounded. */
const BLOBS_AT_ONCE = 20_000
