import { constants } from 'node:fs'
import { appendFile, copyFile, mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { eachOf } from '../each-of.ts'
import { parseProgress } from './progress.ts'
import type { GitRunner } from './runner.ts'

export interface CheckoutOptions {
  /** The bare repository to take everything from. */
  mirror: string
  /** Empty. */
  directory: string
  /** What the agent sees as its remote. */
  url: string
  baseBranch: string
  baseCommit: string
  workBranch: string
  author: { name: string; email: string }
  signal: AbortSignal
  onPercent(percent: number): void
}

/**
 * Makes a repository of its own in the directory and checks the work branch out. Objects are copied, as blocks that are
 * shared until written where the file system can: a link would let an agent write into what others begin with.
 */
export async function checkOut(git: GitRunner, options: CheckoutOptions): Promise<void> {
  const { mirror, directory, url, baseBranch, baseCommit, workBranch, author, signal, onPercent } = options
  const gitDirectory = path.join(directory, '.git')
  const format = baseCommit.length === 64 ? 'sha256' : 'sha1'
  const head = `--initial-branch=${workBranch}`
  await git.read(['init', '--quiet', '--template=', `--object-format=${format}`, head, '--', directory], { signal })
  const refs = await git.read([`--git-dir=${mirror}`, 'for-each-ref', '--format=%(objectname) %(refname)'], { signal })
  await writeFile(path.join(gitDirectory, 'packed-refs'), refs.replaceAll(' refs/heads/', ' refs/remotes/origin/'))
  await mkdir(path.join(gitDirectory, 'refs', 'remotes', 'origin'), { recursive: true })
  await writeFile(
    path.join(gitDirectory, 'refs', 'remotes', 'origin', 'HEAD'),
    `ref: refs/remotes/origin/${baseBranch}\n`,
  )
  await appendFile(path.join(gitDirectory, 'config'), configText(url, author))
  const within = [`--git-dir=${gitDirectory}`, `--work-tree=${directory}`]
  const objects = path.join(mirror, 'objects')
  const onLine = (line: string): void => {
    const { percent } = parseProgress(line)
    if (percent !== undefined) onPercent(percent)
  }
  const arriving = path.join(gitDirectory, 'arriving')
  // The files are written from the mirror's objects while those are copied.
  const checkout = [...within, 'checkout', '--progress', '--no-track', '-B', workBranch, baseCommit, '--']
  const steps = [
    async (signal: AbortSignal) => await copyObjects(objects, arriving, signal),
    async (signal: AbortSignal) => void (await git.read(checkout, { signal, objects, onLine })),
  ]
  await eachOf(steps, steps.length, signal, async (step, signal) => await step(signal))
  for (const folder of await readdir(arriving)) {
    await rename(path.join(arriving, folder), path.join(gitDirectory, 'objects', folder))
  }
  await rmdir(arriving)
  // After the objects: places where a history is cut off may be added meanwhile, and none goes away.
  await copyFile(path.join(mirror, 'shallow'), path.join(gitDirectory, 'shallow')).catch(ignoreMissing)
}

/** The agent may commit by itself, as the author we commit as. */
function configText(url: string, author: { name: string; email: string }): string {
  return [
    '[remote "origin"]',
    `\turl = ${configValue(url)}`,
    '\tfetch = +refs/heads/*:refs/remotes/origin/*',
    '[user]',
    `\tname = ${configValue(author.name)}`,
    `\temail = ${configValue(author.email)}`,
    '',
  ].join('\n')
}

function configValue(text: string): string {
  return `"${text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll(/[\0\r\n]/g, ' ')}"`
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
}

async function copyObjects(from: string, to: string, signal: AbortSignal): Promise<void> {
  // A repack may replace packs meanwhile; what it made of them is there before they go.
  for (let attempt = 1; ; attempt += 1) {
    try {
      await mkdir(to, { recursive: true })
      for (const folder of await readdir(from, { withFileTypes: true })) {
        if (!folder.isDirectory() || !/^(?:pack|[0-9a-f]{2})$/.test(folder.name)) continue
        await mkdir(path.join(to, folder.name), { recursive: true })
        for (const name of await readdir(path.join(from, folder.name))) {
          if (!/^[0-9a-f]{38,62}$|^pack-[0-9a-f]{40,64}\.(?:pack|idx|rev)$/.test(name)) continue
          signal.throwIfAborted()
          await copyFile(
            path.join(from, folder.name, name),
            path.join(to, folder.name, name),
            constants.COPYFILE_FICLONE,
          )
        }
      }
      return
    } catch (error) {
      if (attempt === 3 || !(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
      await rm(path.join(to, 'pack'), { recursive: true, force: true })
    }
  }
}
