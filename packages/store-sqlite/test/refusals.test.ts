import assert from 'node:assert/strict'
import { mkdir, open, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { it } from 'node:test'
import { makeTempDir, openStore } from './harness.ts'
import { newRun, newSession, noLimit } from './rows.ts'

async function assertRefused(file: string, reason: RegExp): Promise<void> {
  await assert.rejects(openStore({ file }), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'STORE_UNAVAILABLE')
    assert.ok(error.message.includes(`"${file}"`), 'the file is named')
    assert.match(error.message, reason)
    return true
  })
}

it('a file that is not a database is refused and left as it is', async () => {
  await using dir = await makeTempDir()
  const file = join(dir.path, 'gateway.db')
  await writeFile(file, 'these are no pages\n'.repeat(1_000))
  await assertRefused(file, /damaged or not a database; restore a backup/)
})

it('a database that was damaged fails the calls that meet the damage, and says so', async () => {
  await using dir = await makeTempDir()
  const file = join(dir.path, 'gateway.db')
  const store = await openStore({ file })
  for (let index = 0; index < 200; index += 1) {
    await store.createSession(newSession(`s${index}`), newRun(`r${index}`, `s${index}`), noLimit)
  }
  await store.close()
  const handle = await open(file, 'r+')
  const { size } = await handle.stat()
  await handle.write(Buffer.alloc(size - 8_192, 0x5a), 0, undefined, 8_192)
  await handle.close()
  const use = async (): Promise<void> => {
    await using damaged = await openStore({ file })
    await damaged.getSession('s1')
  }
  await assert.rejects(use(), { code: 'STORE_UNAVAILABLE', message: /damaged; restore a backup/ })
})

it('a database of a newer gateway is refused', async () => {
  await using dir = await makeTempDir()
  const file = join(dir.path, 'gateway.db')
  const store = await openStore({ file })
  await store.close()
  const db = new DatabaseSync(file)
  db.exec('PRAGMA user_version = 99')
  db.close()
  await assertRefused(file, /schema has version 99 and this gateway knows up to \d+; use the newer gateway/)
})

it('a database of another program is refused', async () => {
  await using dir = await makeTempDir()
  const file = join(dir.path, 'gateway.db')
  const db = new DatabaseSync(file)
  db.exec('CREATE TABLE something (id INTEGER)')
  db.close()
  await assertRefused(file, /database of another program/)
})

it('a directory that cannot be made is refused, and nothing is left', async () => {
  await using dir = await makeTempDir()
  await writeFile(join(dir.path, 'a-file'), '')
  await assertRefused(join(dir.path, 'a-file', 'gateway.db'), /ENOTDIR|EEXIST/)
  assert.deepEqual(await readdir(dir.path), ['a-file'])
})

it('a directory in place of the file is refused', async () => {
  await using dir = await makeTempDir()
  await mkdir(join(dir.path, 'gateway.db'))
  await assertRefused(join(dir.path, 'gateway.db'), /cannot be opened/)
})
