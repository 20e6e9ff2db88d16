import { mkdirSync, readFileSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ToolchainError, say } from './say.mjs'

const WAIT_MS = 15 * 60_000
const POLL_MS = 200
const RELEASED = 'released'

/**
 * Runs `work` while no other launcher in this clone runs its own.
 *
 * The lock is the highest numbered symlink in `dir`; its target names the holder. The next holder makes the link with
 * the next number (making a symlink is atomic and carries its content), and only after the present one has been
 * released or its holder is dead. The highest link is never deleted, so two waiters that see the same dead holder
 * cannot both take over.
 *
 * @template T
 * @param {string} dir
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(dir, work) {
  mkdirSync(dir, { recursive: true })
  const own = await take(dir)
  try {
    return await work()
  } finally {
    // Replaced, not deleted: see above.
    symlinkSync(RELEASED, `${own}.released`)
    renameSync(`${own}.released`, own)
  }
}

/** @param {string} dir */
async function take(dir) {
  const giveUpAt = Date.now() + WAIT_MS
  let told = false
  for (;;) {
    const current = highest(dir)
    const holder = current === 0 ? undefined : holderOf(join(dir, `${current}`))
    if (holder === undefined || !isHeld(holder)) {
      const own = join(dir, `${current + 1}`)
      if (claim(own)) {
        // A waiter that slept since it looked may have made a number that was used and cleared away before.
        if (highest(dir) === current + 1) {
          clearBelow(dir, current + 1)
          return own
        }
        rmSync(own, { force: true })
      }
      continue
    }
    if (Date.now() > giveUpAt) {
      throw new ToolchainError(
        `another command (${holder}) has held "${dir}" for too long. Remove it if it is not running.`,
      )
    }
    if (!told) say(`waiting for another command (${holder}) that is getting the tools ready …`)
    told = true
    await sleep(POLL_MS)
  }
}

/**
 * @param {string} holder `<host> <pid> <start>` or `released`
 * @returns {boolean}
 */
export function isHeld(holder) {
  if (holder === RELEASED) return false
  const [host, pid = '', start] = holder.split(' ')
  // Another machine or container that shares the directory: its processes cannot be seen from here.
  if (host !== hostname()) return true
  try {
    process.kill(Number(pid), 0)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
  }
  const startNow = startOf(pid)
  return startNow === '' || startNow === start
}

export function ownHolder() {
  return `${hostname()} ${process.pid} ${startOf(`${process.pid}`)}`
}

/**
 * When a process started, in clock ticks since boot: tells it from a later one with the same number. Linux only; equal
 * for all elsewhere.
 *
 * @param {string} pid
 */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

/** @param {string} path */
function claim(path) {
  try {
    symlinkSync(ownHolder(), path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

/**
 * @param {string} path
 * @returns {string} the holder; a link cleared away meanwhile counts as released
 */
function holderOf(path) {
  try {
    return readlinkSync(path)
  } catch {
    return RELEASED
  }
}

/** @param {string} dir */
function numbers(dir) {
  return readdirSync(dir)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** @param {string} dir */
function highest(dir) {
  return Math.max(0, ...numbers(dir))
}

/**
 * @param {string} dir
 * @param {number} own
 */
function clearBelow(dir, own) {
  for (const number of numbers(dir)) if (number < own) rmSync(join(dir, `${number}`), { force: true })
}
