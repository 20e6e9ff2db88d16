import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { createLocks } from '../../src/git/lock.ts'

async function lockDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'locks-'))
  t.after(async () => await rm(directory, { recursive: true }))
  return directory
}

test('one at a time, in order, and the file goes with the last', async (t) => {
  const directory = await lockDirectory(t)
  const locks = createLocks(directory)
  const steps: string[] = []
  const work = (name: string) =>
    locks.with('a', t.signal, async () => {
      steps.push(`${name} in`)
      assert.deepEqual(await readdir(directory), ['a.lock'])
      steps.push(`${name} out`)
      if (name === '2') throw new Error('2 failed')
    })
  const results = await Promise.allSettled([work('1'), work('2'), work('3')])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(steps, ['1 in', '1 out', '2 in', '2 out', '3 in', '3 out'])
  assert.deepEqual(await readdir(directory), [])
})

test('who waits may leave at once; who comes after still waits for who works', async (t) => {
  const locks = createLocks(await lockDirectory(t))
  const held = Promise.withResolvers<void>()
  const steps: string[] = []
  const first = locks.with('a', t.signal, async () => {
    await held.promise
    steps.push('first')
  })
  const stop = new AbortController()
  const second = locks.with('a', stop.signal, async () => void steps.push('second'))
  const third = locks.with('a', t.signal, async () => void steps.push('third'))
  stop.abort()
  await assert.rejects(second, { name: 'AbortError' })
  assert.deepEqual(steps, [])
  held.resolve()
  await Promise.all([first, third])
  assert.deepEqual(steps, ['first', 'third'])
})

for (const [what, text] of [
  ['a process that is gone', '999999999 1'],
  ['a process that had the number of one that runs', '1 0'],
  ['an earlier process with our number', `${process.pid} 0`],
  ['nobody', ''],
] as const) {
  test(`the lock of ${what} is taken over`, async (t) => {
    const directory = await lockDirectory(t)
    await writeFile(path.join(directory, 'a.lock'), text)
    assert.equal(await createLocks(directory).with('a', t.signal, async () => 'done'), 'done')
  })
}
