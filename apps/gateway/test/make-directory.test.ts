import assert from 'node:assert/strict'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { findObstacle } from '../src/config/surroundings.ts'
import { makeDirectory } from '../src/start/make-directory.ts'
import { temporaryDirectory } from './gateway.ts'

test('a directory is made with those above it, for its owner alone, or is there already', async (t) => {
  const root = await temporaryDirectory(t)
  const path = join(root, 'a', 'b', 'c')
  await makeDirectory(path)
  await makeDirectory(path)
  assert.equal((await stat(path)).mode & 0o777, 0o700)
})

test('what stands in the way of a directory is named', async (t) => {
  const root = await temporaryDirectory(t)
  const file = join(root, 'file')
  await writeFile(file, '')
  for (const path of [file, join(file, 'below')]) {
    assert.match(findObstacle(path) ?? '', /file" is not a directory/)
    await assert.rejects(makeDirectory(path), /EEXIST|ENOTDIR/)
  }
  assert.equal(findObstacle(root), undefined)
  assert.equal(findObstacle(join(root, 'not', 'yet')), undefined)
})

const linux = { skip: process.platform === 'linux' ? false : 'needs /proc', timeout: 30_000 }
test('a place that takes no directory is given up at once', linux, async () => {
  await assert.rejects(makeDirectory('/proc/nope/deeper'), { code: 'ENOENT' })
})
