import { spawnSync } from 'node:child_process'

/**
 * Runs `create('one')` below `root` in a process of its own that is killed right after its nth call of the file system;
 * false when it came to its end before.
 */
export function crashAfterCall(root: string, nth: number): boolean {
  const program = `
    import fs from 'node:fs/promises'
    import { syncBuiltinESMExports } from 'node:module'
    let left = ${nth}
    for (const name of ['lstat', 'mkdir', 'readFile', 'writeFile', 'rename', 'realpath', 'rm', 'rmdir']) {
      const call = fs[name]
      fs[name] = async (...args) => {
        try {
          return await call(...args)
        } finally {
          if (--left === 0) process.kill(process.pid, 'SIGKILL')
        }
      }
    }
    syncBuiltinESMExports()
    const { createDirectories } = await import(${JSON.stringify(new URL('../src/directories.ts', import.meta.url).href)})
    await createDirectories(${JSON.stringify(root)}).create('one')`
  const { status, signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program])
  if (signal === 'SIGKILL') return true
  if (status === 0) return false
  throw new Error(`the process neither ended nor crashed as it should: ${stderr.toString()}`)
}
