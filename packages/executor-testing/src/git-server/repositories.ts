import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

/** Content by path; null removes the file. */
export type RepositoryFiles = Readonly<Record<string, string | Buffer | null>>

/** Bare repositories below one directory. */
export interface Repositories {
  /** Runs git in a repository; its output without the last line's end. */
  git(name: string, ...args: readonly string[]): Promise<string>
  directoryOf(name: string): string
  create(name: string): Promise<void>
  /** One commit on top of a branch, which is made if it is not there; its id. */
  commit(name: string, branch: string, files: RepositoryFiles, message: string): Promise<string>
}

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

export function createRepositories(root: string, environment: Readonly<Record<string, string>>): Repositories {
  const directoryOf = (name: string): string => path.join(root, `${name}.git`)
  const git = async (name: string, ...args: readonly string[]): Promise<string> => {
    const options = { cwd: directoryOf(name), env: { ...environment }, maxBuffer: MAX_OUTPUT_BYTES }
    return (await promisify(execFile)('git', [...args], options)).stdout.trimEnd()
  }
  return {
    git,
    directoryOf,
    async create(name) {
      await mkdir(directoryOf(name), { recursive: true })
      await git(name, 'init', '--quiet', '--bare', '--initial-branch=main', '.')
    },
    async commit(name, branch, files, message) {
      const ref = `refs/heads/${branch}`
      const parent = await git(name, 'rev-parse', '--verify', '--quiet', ref).catch(() => undefined)
      const child = spawn('git', ['fast-import', '--quiet', '--date-format=now'], {
        cwd: directoryOf(name),
        env: { ...environment },
        stdio: ['pipe', 'ignore', 'pipe'],
      })
      let stderr = ''
      child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
      const closed = once(child, 'close')
      child.stdin.write(`commit ${ref}\ncommitter Upstream <upstream@example.com> now\n`)
      child.stdin.write(sized(message))
      if (parent !== undefined) child.stdin.write(`from ${parent}\n`)
      for (const [file, content] of Object.entries(files)) {
        const name = JSON.stringify(file)
        const isFull =
          content === null
            ? !child.stdin.write(`D ${name}\n`)
            : !child.stdin.write(Buffer.concat([Buffer.from(`M 100644 inline ${name}\n`), sized(content)]))
        if (isFull) await once(child.stdin, 'drain')
      }
      child.stdin.end('\n')
      const [exitCode] = await closed
      if (exitCode !== 0) throw new Error(`git fast-import failed: ${stderr}`)
      return await git(name, 'rev-parse', ref)
    },
  }
}

function sized(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content)
  return Buffer.concat([Buffer.from(`data ${bytes.length}\n`), bytes, Buffer.from('\n')])
}
