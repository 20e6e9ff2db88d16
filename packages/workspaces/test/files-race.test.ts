import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { makeFiles } from './files-harness.ts'

/** Rounds of calls while directories and files become links and come back. */
const ROUNDS = { least: 100, most: 3000 }
/** Calls that have to be served, and as many refused for a link, or nothing was raced. */
const RACED = 20
const LIMIT = { timeout: 120_000 }
const SWAPPER = fileURLToPath(new URL('swapping-process.ts', import.meta.url))
/** What a call may find while nothing stays in its place. */
const MOVING = /^(LINK_DENIED|FILE_NOT_FOUND|FILE_EXISTS|NOT_A_DIRECTORY|NOT_A_FILE|DIRECTORY_NOT_EMPTY)$/

const mine = () => Readable.from([Buffer.from('mine')])

/** A workspace in which somebody swaps `d`, `d/e` and `f` for links to the outside all the time. */
async function swapped(t: TestContext) {
  const fixture = await makeFiles()
  const { root, outside } = fixture
  await mkdir(path.join(root, 'd/e'), { recursive: true })
  for (const file of ['f', 'd/precious', 'd/e/precious']) await writeFile(path.join(root, file), 'mine')
  const swapper = spawn(process.execPath, [SWAPPER, outside], { cwd: root, stdio: ['pipe', 'ignore', 'inherit'] })
  const ended = once(swapper, 'exit')
  const stop = async (): Promise<void> => {
    swapper.kill()
    await ended
  }
  t.after(async () => {
    await stop()
    await fixture.close()
  })
  return { ...fixture, stop }
}

/** How calls ended. */
function tally() {
  const counts = { served: 0, refused: 0, gone: 0 }
  let round = 0
  return {
    counts,
    /** Whether there is to be another round. */
    goesOn(): boolean {
      const raced = counts.served >= RACED && counts.refused >= RACED
      return round++ < (raced ? ROUNDS.least : ROUNDS.most)
    },
    async of(attempt: Promise<unknown>): Promise<void> {
      try {
        await attempt
        counts.served++
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : ''
        assert.match(code, MOVING, String(error))
        if (code === 'LINK_DENIED') counts.refused++
        else counts.gone++
      }
    },
  }
}

async function untouched(outside: string): Promise<void> {
  assert.deepEqual(await readdir(outside), ['precious'])
  assert.equal(await readFile(path.join(outside, 'precious'), 'utf8'), 'kept')
}

test('nothing outside is served or listed while directories become links', LIMIT, async (t) => {
  const { files, outside, stop } = await swapped(t)
  const { counts, goesOn, of } = tally()
  while (goesOn()) {
    for (const file of ['f', 'd/precious', 'd/e/precious'])
      await of(files.read(file, {}).then(async ({ content }) => assert.equal(await text(content), 'mine')))
    await of(
      files.list('d', { depth: 3, limit: 100 }, t.signal).then(({ entries }) => {
        for (const { path } of entries) assert.match(path, /^d\/(precious|e(\.real)?(\/precious)?)$/)
      }),
    )
  }
  await stop()
  assert.ok(counts.served >= RACED && counts.refused >= RACED, JSON.stringify(counts))
  await untouched(outside)
})

test('nothing outside is written, made, moved or removed while directories become links', LIMIT, async (t) => {
  const { files, outside, stop } = await swapped(t)
  const { counts, goesOn, of } = tally()
  while (goesOn()) {
    for (const file of ['f', 'd/precious', 'd/e/precious', 'd/e/new'])
      await of(files.write(file, mine(), { maxBytes: 10 }, t.signal))
    await of(files.makeDirectory('d/e/made'))
    await of(files.move('d/e/new', 'd/moved', { overwrite: true }))
    await of(files.remove('d/e/made', { recursive: true }))
    await of(files.remove('d/moved', { recursive: false }))
  }
  await stop()
  assert.ok(counts.served >= RACED && counts.refused >= RACED, JSON.stringify(counts))
  await untouched(outside)
})

test('nothing outside is removed with a directory in which directories become links', LIMIT, async (t) => {
  const { files, outside, stop } = await swapped(t)
  const { counts, goesOn, of } = tally()
  while (goesOn()) {
    await of(files.write('d/e/new', mine(), { maxBytes: 10 }, t.signal))
    await of(files.remove('d', { recursive: true }))
  }
  await stop()
  assert.ok(counts.served >= RACED && counts.refused >= RACED, JSON.stringify(counts))
  await untouched(outside)
})

test('nothing outside gets into an archive, and no archive gets outside', LIMIT, async (t) => {
  const { files, outside, stop } = await swapped(t)
  for (let round = 0; round < ROUNDS.least; round++) {
    const archive = await buffer(await files.archive({ git: false, secrets: false }, t.signal))
    assert.ok(!gunzipSync(archive).includes('kept'))
    await files
      .unpack(Readable.from([archive]), { maxEntries: 100, maxBytes: 1000 }, t.signal)
      .catch((error: unknown) => {
        const code = error instanceof Error && 'code' in error ? String(error.code) : ''
        assert.match(code, /^ARCHIVE_REFUSED$|^LINK_DENIED$|^FILE_|^NOT_A_/, String(error))
      })
  }
  await stop()
  await untouched(outside)
})
