import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { isIgnored, parseIgnoreFile } from '../src/snapshot/ignore-rules.ts'
import { git, snapshotPlace } from './snapshot-place.ts'

const PATTERNS = [
  'node_modules', 'node_modules/', '/dist', 'dist/', '*.log', '!keep.log', '*.log\n!keep.log', '!*.log\n*.log', 'a/b',
  'a/*', 'a/**', '**/b', 'a/**/b', '**', '*', '*\n!*/\n!*.txt', '/*', '/', '//', 'a//b', '\\#x', '#x', '\\!x', '!x', 'x\\ ',
  'x ', 'x\\', 'x\t', '[ab].txt', '[!ab].txt', '[^ab].txt', '[a-c].txt', '[]x].txt', '[[:digit:]].txt', '[[:nope:]]', '[a',
  '[a-', '[\\]]', '?.txt', '??', '.*', '.?*', 'a*b*c', '**a', 'a**', 'a**b/c', 'b/**/', '**/b/', '/**/b', 'a/b/', './a',
  '../a', 'a/.', '\ufeff*.log', '*.LOG', 'é', 'x\r', '*/b', 'a/?/c', '*.', '\\*', '\\a', 'b\\/c', 'a/[/]b', 'a[/]b', '[--0]', '[z-a]', '[*]',
  '*[*', '{a,b}', 'a/***/b', '***', '**/', '**/**', 'b/**', '/a', '/a/', 'a/b/c', '!a\na/b', 'a\n!a/b',
] // prettier-ignore
const PATHS = [
  'a', 'b', 'c', 'x', 'x ', 'x\t', 'x\\', 'x\r', '#x', '!x', '*', '*a', '[a', '[', ']', '-', '.', 'é', '.hidden', '..x', 'node_modules/', 'node_modules',
  'a/', 'a/b', 'a/b/', 'a/b/c', 'a/x/b', 'a/x/y/b', 'a/c/c', 'b/c', 'b/', 'b/x/', 'dist', 'dist/', 'x/dist', 'x/dist/', 'a.log', 'keep.log',
  'x/keep.log', 'a.LOG', 'a.txt', 'b.txt', 'd.txt', '].txt', 'x.txt', '1.txt', 'abc', 'aXbYc', 'ab', 'a[b', 'xa', 'a.', '{a,b}', 'x/node_modules/', 'node_modules/x',
] // prettier-ignore

test('a path is ignored as git ignores it', async (t) => {
  const { directory } = await snapshotPlace(t)
  await git(directory, 'init', '-q')
  const names = PATHS.filter((name) => name !== '.')
  // Each has a place of its own: some are a file here and a directory there.
  for (const [index, name] of names.entries()) {
    const at = path.join(directory, String(index), name)
    await mkdir(name.endsWith('/') ? at : path.dirname(at), { recursive: true })
    if (!name.endsWith('/')) await writeFile(at, '')
  }
  const differing: string[] = []
  for (const pattern of PATTERNS) {
    for (const index of names.keys()) await writeFile(path.join(directory, String(index), '.gitignore'), `${pattern}\n`)
    const input = Buffer.from(names.map((name, index) => `${index}/${name.replace(/\/$/, '')}`).join('\0'))
    const args = ['check-ignore', '--no-index', '-v', '-n', '-z', '--stdin']
    const asked = spawnSync('git', args, { cwd: directory, input, encoding: 'latin1' })
    assert.ok(asked.status === 0 || asked.status === 1, asked.stderr)
    const fields = asked.stdout.split('\0')
    for (const [index, name] of names.entries()) {
      const [source = '', , matched = ''] = fields.slice(index * 4, index * 4 + 4)
      const theirs = source !== '' && !matched.startsWith('!')
      const rules = [parseIgnoreFile(`${index}/`, Buffer.from(pattern).toString('latin1'))]
      const ours = ignoredWithParents(rules, `${index}/${Buffer.from(name).toString('latin1')}`)
      if (theirs !== ours) differing.push(`${JSON.stringify(pattern)} ${JSON.stringify(name)}: git says ${theirs}`)
    }
  }
  assert.deepEqual(differing, [])
})

/** What lies in an ignored directory is. */
function ignoredWithParents(rules: ReturnType<typeof parseIgnoreFile>[], name: string): boolean {
  const names = name.replace(/\/$/, '').split('/')
  return names.some((_, index) => {
    if (index === 0) return false
    const isDirectory = index < names.length - 1 || name.endsWith('/')
    return isIgnored(rules, names.slice(0, index + 1).join('/'), isDirectory)
  })
}

test('no pattern takes long', () => {
  const rules = [parseIgnoreFile('', `${'*a'.repeat(2000)}b\n${'**/a/'.repeat(500)}b\n`)]
  assert.equal(isIgnored(rules, 'a'.repeat(4000), false), false)
  assert.equal(isIgnored(rules, 'a/'.repeat(1500), false), false)
})

test('what came later and is ignored is not told; the deepest file decides', async (t) => {
  const place = await snapshotPlace(t)
  await place.write({ '.gitignore': 'node_modules/\n*.log\n', 'src/a.ts': 'a' })
  await place.take()
  await place.write({
    'node_modules/x/index.js': 'x',
    'src/node_modules/y.js': 'y',
    'build.log': 'b',
    'src/.gitignore': '!kept.log\n*.tmp\n',
    'src/kept.log': 'k',
    'src/other.log': 'o',
    'src/a.tmp': 't',
  })
  assert.deepEqual(await place.statuses(), ['A src/.gitignore', 'A src/kept.log'])
  assert.doesNotMatch((await place.patch()).toString(), /build\.log|node_modules/)
})

test('what was there at the start is told, ignored or not', async (t) => {
  const place = await snapshotPlace(t)
  await place.write({ '.gitignore': '/vendor\n*.log\n', 'vendor/lib.js': 'one', 'vendor/gone.js': 'g', 'a.log': 'a' })
  await place.take()
  await place.write({ 'vendor/lib.js': 'two', 'vendor/new.js': 'n', 'a.log': 'b' })
  await place.remove('vendor/gone.js')
  assert.deepEqual(await place.statuses(), ['M a.log', 'D vendor/gone.js', 'M vendor/lib.js'])
})

test('an agent cannot hide what it changed, nor that it hides something', async (t) => {
  const place = await snapshotPlace(t)
  await place.write({ 'a.txt': 'a' })
  await place.take()
  await place.write({
    '.gitignore': '*\n',
    'a.txt': 'b',
    'hidden.txt': 'h',
    '.env': 'TOKEN=canary-token',
    'deep/.gitignore': '*',
  })
  const { files } = await place.diff()
  assert.deepEqual(
    files.map(({ path, truncated }) => [path, truncated]),
    [
      ['.env', true],
      ['.gitignore', false],
      ['a.txt', false],
    ],
  )
})

test('what looks like a secret is told by name, and shown only to who may see it', async (t) => {
  const place = await snapshotPlace(t)
  await place.write({ 'server.pem': 'canary-one', '.env.example': 'A=' })
  await place.take()
  await place.write({ 'server.pem': 'canary-two', 'config/.env': 'canary-three', '.env.example': 'A=b' })
  const told = await place.diff()
  assert.deepEqual(
    told.files.map(({ path, truncated, patch }) => [path, truncated, patch !== undefined]),
    [
      ['.env.example', false, true],
      ['config/.env', true, false],
      ['server.pem', true, false],
    ],
  )
  const patch = (await place.patch()).toString()
  assert.doesNotMatch(patch + JSON.stringify(told), /canary/)
  assert.match(patch, /^# not in here: "config\/\.env", added\n# not in here: "server\.pem", modified\n/)
  const shown = (await place.patch({ secrets: true })).toString() + JSON.stringify(await place.diff({ secrets: true }))
  assert.equal(shown.match(/\+canary-two/g)?.length, 2)
  assert.equal(shown.match(/\+canary-three/g)?.length, 2)
})

test('an ignored directory that has a name of its own in the start is looked into', async (t) => {
  const place = await snapshotPlace(t)
  await place.write({ '.gitignore': 'out/\n', 'out/kept/a.txt': 'a' })
  await mkdir(`${place.directory}/out/empty`)
  await place.take()
  await place.write({ 'out/kept/a.txt': 'b', 'out/kept/.env': 'x', 'out/other/.env': 'x' })
  assert.deepEqual(
    await place.statuses(),
    ['M out/kept/a.txt', 'A out/kept/.env'].toSorted((a, b) => (a.slice(2) < b.slice(2) ? -1 : 1)),
  )
})

test('what was hidden when a run had ended is still hidden afterwards', async (t) => {
  const place = await snapshotPlace(t)
  await place.write({ '.gitignore': 'node_modules\n*.log\n', 'a.txt': 'a' })
  await place.take()
  await place.write({ 'node_modules/x.js': 'x', 'first.log': '1', 'a.txt': 'b' })
  await place.take('later')
  assert.deepEqual(await place.statuses({ from: 'later' }), [])
  await place.write({ 'node_modules/x.js': 'y', 'first.log': '2', 'a.txt': 'c' })
  assert.deepEqual(await place.statuses({ from: 'later' }), ['M a.txt'])
})
