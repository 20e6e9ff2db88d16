// Swaps directories and a file of a workspace for links to the outside and back, until it or its parent is ended.
import { lstatSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'

const [outside = ''] = process.argv.slice(2)

process.stdin.resume()
process.stdin.once('end', () => process.kill(process.pid))

/** What is tested puts things there meanwhile, or takes them away: what cannot be done now is done in the next round. */
function attempt(change: () => unknown): void {
  try {
    change()
  } catch {
    // The next round begins anew.
  }
}

function swap(name: string, target: string): void {
  attempt(() => {
    renameSync(name, `${name}.real`)
    symlinkSync(target, name)
    rmSync(name)
  })
  // Only this makes links.
  attempt(() => lstatSync(name).isSymbolicLink() && rmSync(name))
  attempt(() => renameSync(`${name}.real`, name))
  attempt(() => rmSync(`${name}.real`, { recursive: true, force: true }))
}

function run(): void {
  for (let round = 0; round < 50; round++) {
    swap('d', outside)
    attempt(() => mkdirSync('d/e', { recursive: true }))
    swap('d/e', outside)
    swap('f', `${outside}/precious`)
  }
  setImmediate(run)
}
run()
