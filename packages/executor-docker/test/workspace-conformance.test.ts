import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe } from 'node:test'
import { promisify } from 'node:util'
import { workspaceFilesConformance } from '@opencode-gateway/executor-testing/workspace-suite'
import { createDirectories } from '@opencode-gateway/workspaces'
import { inside } from '../src/container/inside.ts'
import { createSharedWorkspaces } from '../src/shared-workspaces.ts'
import { handOver } from '../src/container/hand-over.ts'
import { image, missingImage } from './scene.ts'

const run = promisify(execFile)
const uid = process.getuid?.() ?? 0
const user = uid === 0 ? { uid: 1000, gid: 1000 } : { uid, gid: process.getgid?.() ?? uid }

/** The agent is a shell in a container, the workspace the directory that it shares with us. */
describe('workspaces that a container shares', { skip: await missingImage() }, () => {
  let root: string
  let container: string
  const docker = async (...args: readonly string[]) =>
    await run('docker', args, { maxBuffer: 64 * 1024 * 1024 }).then(({ stdout }) => stdout)

  before(async () => {
    root = await realpath(await mkdtemp(path.join(tmpdir(), 'shared-')))
    await run('chmod', ['755', root])
    // One container for all cases: what is mounted has a directory for each.
    const mount = `type=bind,src=${root},dst=${root}`
    const hardening = ['--network=none', '--cap-drop=ALL', '--security-opt=no-new-privileges', '--read-only', '--init']
    const rest = [`--user=${user.uid}:${user.gid}`, `--mount=${mount}`, '--entrypoint=sleep', image, 'infinity']
    container = (await docker('run', '--detach', ...hardening, ...rest)).trim()
  })
  after(async () => {
    await docker('rm', '--force', container)
    await rm(root, { recursive: true, force: true, maxRetries: 3 })
  })

  let count = 0
  workspaceFilesConformance({
    name: `shared with a container, whose agent is uid ${user.uid} in ${inside.workspace}`,
    async make() {
      count += 1
      const at = path.join(root, `case-${count}`)
      const outside = path.join(at, 'outside')
      await mkdir(outside, { recursive: true })
      await writeFile(path.join(outside, 'precious'), 'kept')
      const directories = createDirectories(path.join(at, 'workspaces'))
      await directories.prepare()
      await run('chmod', ['755', path.join(at, 'workspaces')])
      const workspaces = createSharedWorkspaces({ directories }, user)
      const { path: directory, files } = await workspaces.make('one')
      for (const owned of [directory, outside]) await handOver(owned, user)
      return {
        files,
        outside,
        sh: (command) => docker('exec', '--workdir', directory, container, 'sh', '-c', command),
        close: () => rm(at, { recursive: true, force: true, maxRetries: 3 }),
      }
    },
  })
})
