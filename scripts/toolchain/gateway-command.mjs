import { join } from 'node:path'

/** @typedef {{ flags: string[], entry: string, env: NodeJS.ProcessEnv }} Command */

/**
 * How the gateway's process is started: flags of Node, the entry point, and what its environment has besides.
 *
 * @param {{ root: string }} options
 * @returns {Command}
 */
export const gatewayCommand = ({ root }) => leanCommand({ root, entry: 'apps/gateway/src/server.ts' })

/**
 * The same for any program of this repository, by its path in it.
 *
 * @param {{ root: string, entry: string }} options
 * @returns {Command}
 */
export function leanCommand({ root, entry }) {
  return {
    // A young generation that may grow to 48 MB is filled before it is collected; a small one costs no measurable time.
    // The old one would grow to four times of what lives in it: what waits for a second, as streams do, is old by then.
    flags: ['--max-semi-space-size=2', '--heap-growing-percent=25'],
    entry: join(root, entry),
    // Neither the compiler of types nor what it made need be in memory, and a start takes half the time.
    // What the start read in large pieces is given back to the system, and threads do not keep a heap of C's each.
    env: {
      NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compiled'),
      MALLOC_ARENA_MAX: '1',
      MALLOC_MMAP_THRESHOLD_: '65536',
    },
  }
}
