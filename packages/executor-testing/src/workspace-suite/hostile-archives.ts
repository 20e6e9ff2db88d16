import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import type { Header } from 'tar-stream'
import { hostilePaths } from './hostile-paths.ts'

type Entry = Partial<Header> & { name: string; content?: string | Buffer }
type Archive = () => Promise<Buffer>

/** A file that would be unpacked if the rest did not forbid it. */
const GOOD: Entry = { name: 'good', content: 'x' }

async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack()
  for (const { content, ...header } of entries) tar.entry(header, content ?? '')
  tar.finalize()
  return buffer(tar)
}

/** A gzipped tar. */
export const archiveOf =
  (...entries: Entry[]): Archive =>
  async () =>
    gzipSync(await tarOf(entries))

/** The bytes of a tar of one entry, changed; the sum in its header is made right again. */
function forged(entry: Entry, change: (tar: Buffer) => void): Archive {
  return async () => {
    const tar = await tarOf([entry])
    change(tar)
    tar.fill(' ', 148, 156)
    const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0)
    tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
    return gzipSync(tar)
  }
}

const named: readonly (readonly [string, Archive])[] = Object.values(hostilePaths)
  .flat()
  // What is in no tar: it ends a name with a NUL, and knows bytes only.
  .filter((path) => !path.includes('\0') && path.isWellFormed())
  .map(
    (path) => [`a file ${JSON.stringify(path.slice(0, 60))}`, archiveOf(GOOD, { name: path, content: 'x' })] as const,
  )

const link = (name: string, linkname: string): readonly [string, Archive] => [
  `a link ${name} -> ${JSON.stringify(linkname)}`,
  archiveOf(GOOD, { name, type: 'symlink', linkname }),
]

export const hostileArchives: readonly (readonly [what: string, archive: Archive])[] = [
  ...named,
  link('l', '/etc/passwd'),
  link('l', '/'),
  link('l', '..'),
  link('l', '../x'),
  link('l', './../x'),
  link('l', 'a/../../x'),
  link('l', 'a/..'),
  link('d/l', '../..'),
  link('d/l', '../../x'),
  link('d/l', '../a/../../x'),
  link('l', '..\\x'),
  link('l', 'C:\\x'),
  link('a/b/c/l', '../../../../x'),
  ['a link with no target', archiveOf(GOOD, { name: 'l', type: 'symlink', linkname: '' })],
  ['a hard link out', archiveOf(GOOD, { name: 'h', type: 'link', linkname: '/etc/passwd' })],
  ['a hard link up', archiveOf(GOOD, { name: 'h', type: 'link', linkname: '../x' })],
  ['a hard link', archiveOf(GOOD, { name: 'h', type: 'link', linkname: 'good' })],
  ['a character device', archiveOf(GOOD, { name: 'c', type: 'character-device', devmajor: 1, devminor: 5 })],
  ['a block device', archiveOf(GOOD, { name: 'b', type: 'block-device', devmajor: 8, devminor: 0 })],
  ['a pipe', archiveOf(GOOD, { name: 'p', type: 'fifo' })],
  ['a file below a link', archiveOf({ name: 'd', type: 'symlink', linkname: 'e' }, { name: 'd/x', content: 'x' })],
  [
    'a link in place of a directory',
    archiveOf({ name: 'd/x', content: 'x' }, { name: 'd', type: 'symlink', linkname: 'e' }),
  ],
  ['a file in place of a directory', archiveOf({ name: 'd/x', content: 'x' }, { name: 'd', content: 'x' })],
  ['a file below a file', archiveOf({ name: 'd', content: 'x' }, { name: 'd/x', content: 'x' })],
  ['a file in place of a link', archiveOf({ name: 'd', type: 'symlink', linkname: 'e' }, { name: 'd', content: 'x' })],
  ['git configuration', archiveOf(GOOD, { name: '.git/config', content: 'x' })],
  ['a git hook of a nested repository', archiveOf(GOOD, { name: 'a/.GIT/hooks/post-commit', content: 'x' })],
  ['a file named .git', archiveOf(GOOD, { name: 'a/.git', content: 'gitdir: /x' })],
  ['a link named .git', archiveOf(GOOD, { name: '.git', type: 'symlink', linkname: 'good' })],
  ['a file with no name', forged(GOOD, (tar) => tar.fill(0, 0, 100))],
  ['a file that is the workspace', archiveOf(GOOD, { name: './', type: 'symlink', linkname: 'good' })],
  ['too many entries', archiveOf(...Array.from({ length: 21 }, (_, index) => ({ name: `${index}`, content: '' })))],
  [
    'too many directories',
    archiveOf({ name: `${'a/'.repeat(15)}x`, content: '' }, { name: `${'b/'.repeat(15)}x`, content: '' }),
  ],
  ['too many bytes', archiveOf(GOOD, { name: 'big', content: Buffer.alloc(50_000) })],
  [
    'too many bytes in all',
    archiveOf({ name: '1', content: Buffer.alloc(30_000) }, { name: '2', content: Buffer.alloc(30_000) }),
  ],
  ['a bomb', async () => gzipSync(Buffer.concat([(await tarOf([GOOD])).subarray(0, 1024), Buffer.alloc(40_000_000)]))],
  ['a size that is none', forged(GOOD, (tar) => tar.write('zzzzzzzzzzz', 124, 'latin1'))],
  ['a size below nothing', forged(GOOD, (tar) => tar.fill(0xff, 124, 136))],
  ['a size beyond everything', forged(GOOD, (tar) => tar.write('77777777777', 124, 'latin1'))],
  ['an unknown type', forged(GOOD, (tar) => tar.write('Z', 156, 'latin1'))],
  ['a sparse file', forged(GOOD, (tar) => tar.write('S', 156, 'latin1'))],
  ['a wrong sum', async () => gzipSync(Buffer.concat([Buffer.from('x'), await tarOf([GOOD])]))],
  [
    'an absolute path of an extended header',
    archiveOf(GOOD, { name: 'x', pax: { path: '/etc/passwd' }, content: 'x' }),
  ],
  ['a climbing path of an extended header', archiveOf(GOOD, { name: 'x', pax: { path: '../../x' }, content: 'x' })],
  [
    'a link target of an extended header',
    archiveOf(GOOD, { name: 'l', type: 'symlink', linkname: 'good', pax: { linkpath: '/etc' } }),
  ],
  ['a size of an extended header', archiveOf(GOOD, { name: 'x', pax: { size: '-5' }, content: 'x' })],
  ['a tar that is not compressed', () => tarOf([GOOD])],
  ['text', async () => Buffer.from('not an archive')],
  ['zip', async () => Buffer.from('PK\u0003\u0004')],
  ['compressed text', async () => gzipSync(Buffer.from('not an archive'.repeat(100)))],
  ['something after the archive', async () => Buffer.concat([await archiveOf(GOOD)(), Buffer.from('rest')])],
]
