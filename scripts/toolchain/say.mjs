/** @typedef {{ code: number, stoppedBy?: NodeJS.Signals } | { signal: NodeJS.Signals }} Exit how a process ended; `stoppedBy` was sent to it before */

/** A failure the person at the terminal can do something about: printed without a stack. */
export class ToolchainError extends Error {
  /**
   * @param {string} message what failed, the value in quotes, what to do next
   * @param {Exit} [exit] how to end; exit code 1 when absent
   */
  constructor(message, exit) {
    super(message)
    this.exit = exit
  }
}

/**
 * Progress and complaints go to stderr: stdout belongs to the task.
 *
 * @param {string} text
 */
export function say(text) {
  process.stderr.write(`toolchain: ${text}\n`)
}
