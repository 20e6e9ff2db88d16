import assert from 'node:assert/strict'
import { appendFile, mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { createTail } from '../src/tail-file.ts'
import type { FileTail } from '../src/tail-file.ts'

async function tailOf(
  t: TestContext,
  options: { maxBytes: number; skip: number },
): Promise<FileTail & { file: string }> {
  const directory = await mkdtemp(path.join(tmpdir(), 'tail-'))
  t.after(() => rm(directory, { recursive: true }))
  const file = path.join(directory, 'out')
  await writeFile(file, '')
  const tail = createTail(await open(file, 'r+'), options)
  t.after(() => tail.close())
  return { ...tail, file }
}

test('what is appended is told once', async (t) => {
  const tail = await tailOf(t, { maxBytes: 1000, skip: 0 })
  assert.equal(await tail.read(), undefined)
  await appendFile(tail.file, 'one\n')
  assert.deepEqual(await tail.read(), { text: 'one\n', truncated: false })
  assert.equal(await tail.read(), undefined)
  await appendFile(tail.file, 'two\n')
  assert.deepEqual(await tail.read(), { text: 'two\n', truncated: false })
  assert.equal(tail.text(), 'one\ntwo\n')
})

test('a character that is written in two halves is told whole', async (t) => {
  const tail = await tailOf(t, { maxBytes: 1000, skip: 0 })
  const bytes = Buffer.from('ü😀')
  let told = ''
  for (const byte of bytes) {
    await appendFile(tail.file, Buffer.from([byte]))
    told += (await tail.read())?.text ?? ''
  }
  assert.equal(told, 'ü😀')
})

test('what was told before is skipped', async (t) => {
  const tail = await tailOf(t, { maxBytes: 1000, skip: 5 })
  await appendFile(tail.file, 'abc')
  assert.equal(await tail.read(), undefined)
  await appendFile(tail.file, 'defg')
  assert.deepEqual(await tail.read(), { text: 'fg', truncated: false })
  assert.equal(tail.text(), 'abcdefg')
})

test('more than the bound is cut off with a note, and the file does not grow for ever', async (t) => {
  const tail = await tailOf(t, { maxBytes: 10, skip: 0 })
  await appendFile(tail.file, '0123456789')
  assert.deepEqual(await tail.read(), { text: '0123456789', truncated: false })
  await appendFile(tail.file, 'x')
  assert.deepEqual(await tail.read(), { text: '', truncated: true })
  await appendFile(tail.file, Buffer.alloc(9 * 1024 * 1024))
  assert.equal(await tail.read(), undefined)
  assert.equal((await stat(tail.file)).size, 0)
  assert.equal(tail.text(), '0123456789')
})
