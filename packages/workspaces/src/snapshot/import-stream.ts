import { closeSync, constants, openSync, writeSync } from 'node:fs'

/** A file or a link as git records it. */
export type Side = { kind: 'file'; executable: boolean; content: Buffer } | { kind: 'link'; content: Buffer }

/** Two trees for git to compare, of the paths in which they differ. */
export interface TreePair {
  before(path: string, side: Side): void
  after(path: string, side: Side): void
}

export const BEFORE = 'refs/heads/before'
export const AFTER = 'refs/heads/after'

const BUFFER_BYTES = 1024 * 1024
const COMMITTER = 'committer gateway <gateway@localhost> 0 +0000\ndata 0\n'

/** Writes what `git fast-import` reads into a new file. Blocks: for a thread of its own. */
export function createImportStream(file: string): TreePair & { end(): void } & Disposable {
  const fd = openSync(file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
  const trees: Record<'before' | 'after', string[]> = { before: [], after: [] }
  let waiting: Buffer[] = []
  let waitingBytes = 0
  let marks = 0

  function write(...pieces: Buffer[]): void {
    waiting.push(...pieces)
    for (const { length } of pieces) waitingBytes += length
    if (waitingBytes >= BUFFER_BYTES) flush()
  }

  function flush(): void {
    const bytes = Buffer.concat(waiting, waitingBytes)
    for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done)
    waiting = []
    waitingBytes = 0
  }

  const add = (tree: 'before' | 'after') => (path: string, side: Side) => {
    marks += 1
    write(bytesOf(`blob\nmark :${marks}\ndata ${side.content.length}\n`), side.content, bytesOf('\n'))
    trees[tree].push(`M ${modeOf(side)} :${marks} ${quotedPath(path)}\n`)
  }

  return {
    before: add('before'),
    after: add('after'),
    end() {
      write(bytesOf(`commit ${BEFORE}\n${COMMITTER}${trees.before.join('')}\n`))
      write(bytesOf(`commit ${AFTER}\n${COMMITTER}${trees.after.join('')}\ndone\n`))
      flush()
    },
    [Symbol.dispose]: () => closeSync(fd),
  }
}

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1')

function modeOf(side: Side): string {
  if (side.kind === 'link') return '120000'
  return side.executable ? '100755' : '100644'
}

/** As C writes a string; every byte that could be taken for something else is a number. */
function quotedPath(path: string): string {
  const escaped = path.replace(/[^ !#-[\]-~]/g, (byte) => `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`)
  return `"${escaped}"`
}
