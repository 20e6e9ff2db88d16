import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isHeld, ownHolder, withLock } from '../toolchain/lock.mjs'
import { tempDir } from './temp-dir.mjs'

const lockModule = new URL('../toolchain/lock.mjs', import.meta.url).href

/**
 * Processes that each note when they enter and leave the locked part.
 *
 * @param {string} dir
 * @param {number} count
 */
async function compete(dir, count) {
  const source = `
    import { appendFileSync } from 'node:fs'
    import { setTimeout as sleep } from 'node:timers/promises'
    import { withLock } from ${JSON.stringify(lockModule)}
    await withLock('lock', async () => {
      appendFileSync('log', 'in ')
      await sleep(20)
      appendFileSync('log', 'out ')
    })`
  const codes = await Promise.all(
    Array.from({ length: count }, async () => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', source], { cwd: dir, stdio: 'ignore' })
      const [code] = await once(child, 'close')
      return code
    }),
  )
  assert.deepEqual(
    codes,
    Array.from({ length: count }, () => 0),
  )
  return readFileSync(join(dir, 'log'), 'utf8')
}

async function deadHolder() {
  const child = spawn(process.execPath, ['-e', ''])
  const holder = `${hostname()} ${child.pid} 1`
  await once(child, 'close')
  return holder
}

test('one process at a time has the lock', async (t) => {
  assert.equal(await compete(tempDir(t), 5), 'in out '.repeat(5))
})

test('a dead holder is succeeded by one process at a time', async (t) => {
  const dir = tempDir(t)
  mkdirSync(join(dir, 'lock'))
  symlinkSync(await deadHolder(), join(dir, 'lock', '7'))
  assert.equal(await compete(dir, 5), 'in out '.repeat(5))
})

test('the lock is free again after a failure', async (t) => {
  const lock = join(tempDir(t), 'deep', 'lock')
  await assert.rejects(
    withLock(lock, () => Promise.reject(new Error('broken'))),
    /broken/,
  )
  assert.equal(await withLock(lock, async () => existsSync(lock)), true)
})

test('a holder counts as long as it lives, on another machine always', async () => {
  assert.equal(isHeld(ownHolder()), true)
  assert.equal(isHeld('released'), false)
  assert.equal(isHeld(await deadHolder()), false)
  assert.equal(isHeld(`elsewhere ${process.pid} 1`), true)
})

test('a process that got the number of a dead holder is not the holder', { skip: process.platform !== 'linux' }, () => {
  assert.equal(isHeld(`${hostname()} ${process.pid} 1`), false)
})
