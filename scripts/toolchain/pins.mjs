import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ToolchainError } from './say.mjs'

/** @typedef {{ node: string, pnpm: string }} Pins exact versions */

/**
 * @param {string} root
 * @returns {Pins}
 */
export function readPins(root) {
  const node = readFileSync(join(root, '.node-version'), 'utf8').trim()
  /** @type {{ packageManager?: string }} */
  const { packageManager = '' } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return { node, pnpm: pnpmVersion(packageManager) }
}

/**
 * @param {string} packageManager `pnpm@10.34.9`, perhaps with `+sha512.…` behind
 * @returns {string}
 */
export function pnpmVersion(packageManager) {
  const version = /^pnpm@(\d+\.\d+\.\d+)(?:\+|$)/.exec(packageManager)?.[1]
  if (version === undefined) {
    throw new ToolchainError(
      `"packageManager" in package.json is "${packageManager}", expected "pnpm@" and an exact version.`,
    )
  }
  return version
}
