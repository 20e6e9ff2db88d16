// Swaps directories and a file of a workspace for links to the outside and back, until it is ended.
import { lstatSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'

const [outside = ''] = process.argv.slice(2)

process.stdin.resume()
let ended = false
process.stdin.once('end', () => {
  ended = true
})

function swap(name: string, target: string): void {
  try {
    renameSync(name, `${name}.real`)
    symlinkSync(target, name)
    rmSync(name)
    renameSync(`${name}.real`, name)
  } catch {
    // What is tested has put something there meanwhile, or taken it away.
    restore(name)
  }
}

function restore(name: string): void {
  if (lstatSync(name, { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(name)
  try {
    renameSync(`${name}.real`, name)
  } catch {
    rmSync(`${name}.real`, { recursive: true, force: true })
  }
}

function run(): void {
  for (let round = 0; round < 50; round++) {
    swap('d', outside)
    // Here `d` is a directory or nothing: nobody but this makes links.
    mkdirSync('d/e', { recursive: true })
    swap('d/e', outside)
    swap('f', `${outside}/precious`)
  }
  if (!ended) setImmediate(run)
}
run()
