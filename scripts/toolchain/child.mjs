import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { ToolchainError } from './say.mjs'
import { createSignalFilter } from './signal-filter.mjs'

/** @typedef {import('./say.mjs').Exit} Exit */
/**
 * @typedef {object} RunOptions
 * @property {string} cwd
 * @property {NodeJS.ProcessEnv} env
 * @property {import('node:child_process').StdioOptions} [stdio] default: the launcher's own
 * @property {'child' | 'group'} [signals] who gets the launcher's signals; 'group' for tools that have children of
 *   their own and expect what a terminal does
 * @property {number} [timeoutMs] kills the group when it takes longer; no limit when absent
 * @property {(chunk: Buffer) => void} [onOutput] gets what is piped
 */

/** @type {NodeJS.Signals[]} */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP']
const LEFTOVER_GRACE_MS = 5_000
const LEFTOVER_POLL_MS = 50

/**
 * Runs a command to its end and leaves nothing of it behind.
 *
 * The child leads a process group of its own. So Ctrl-C reaches it through us alone and exactly once: without that, the
 * terminal and npm and we would each deliver it, and a server takes the second one for "stop at once".
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} options
 * @returns {Promise<Exit>}
 */
export async function run(command, args, { cwd, env, stdio = 'inherit', signals = 'group', timeoutMs, onOutput }) {
  const child = spawn(command, args, { cwd, env, stdio, detached: true })
  const pid = child.pid ?? 0
  if (onOutput) for (const stream of [child.stdout, child.stderr]) stream?.on('data', onOutput)

  /** @type {NodeJS.Signals | undefined} */
  let stoppedBy
  const isRepeat = createSignalFilter()
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    if (pid === 0 || isRepeat(signal, Date.now())) return
    stoppedBy ??= signal
    sendSignal(signals === 'group' ? -pid : pid, signal)
  }
  for (const signal of FORWARDED) process.on(signal, forward)
  const limit = timeoutMs === undefined ? undefined : setTimeout(() => sendSignal(-pid, 'SIGKILL'), timeoutMs)

  try {
    const exit = await ended(child, command)
    await clearGroup(pid, stoppedBy !== undefined)
    return 'code' in exit && stoppedBy !== undefined ? { ...exit, stoppedBy } : exit
  } finally {
    clearTimeout(limit)
    for (const signal of FORWARDED) process.off(signal, forward)
  }
}

/**
 * The signal that ended a command, or that it was told to end by and ended in its own way: what it left undone says
 * nothing.
 *
 * @param {Exit} exit
 */
export function signalOf(exit) {
  return 'signal' in exit ? exit.signal : exit.stoppedBy
}

/**
 * Ends the launcher the way the task ended.
 *
 * @param {Exit} exit
 */
export function mirrorExit(exit) {
  if ('code' in exit) process.exitCode = exit.code
  else if (FORWARDED.includes(exit.signal)) process.kill(process.pid, exit.signal)
  else process.exitCode = 128 + constants.signals[exit.signal]
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {string} command
 * @returns {Promise<Exit>}
 */
function ended(child, command) {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      const missing = 'code' in error && error.code === 'ENOENT'
      const why = missing ? 'It is not there, or not on the PATH.' : `${error.message}.`
      reject(new ToolchainError(`"${command}" cannot be started. ${why}`))
    })
    child.once('close', (code, signal) => resolve(signal === null ? { code: code ?? 1 } : { signal }))
  })
}

/**
 * @param {number} pid the group's leader, which has ended
 * @param {boolean} stopped whether the group was signalled already and may still be ending
 */
async function clearGroup(pid, stopped) {
  if (pid === 0 || !sendSignal(-pid, stopped ? 0 : 'SIGTERM')) return
  const giveUpAt = Date.now() + LEFTOVER_GRACE_MS
  while (Date.now() < giveUpAt) {
    if (!sendSignal(-pid, 0)) return
    await sleep(LEFTOVER_POLL_MS)
  }
  sendSignal(-pid, 'SIGKILL')
}

/**
 * @param {number} pid negative for a group
 * @param {NodeJS.Signals | 0} signal
 * @returns {boolean} whether there was anybody to get it
 */
function sendSignal(pid, signal) {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
