import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gitScene, PATH, quiet } from './scene.ts'

/** More than a pipe holds, and nothing that can be made smaller. */
const large = randomBytes(400_000)
const INDEX = new URL('../../src/index.ts', import.meta.url).href

test('what a gateway leaves that is killed in a first clone is removed at the start, and nothing that goes on', async (t) => {
  const { server, git, root, cacheDirectory, clone, place, ctx, onGit } = await gitScene(t)
  const url = await server.addRepository('demo', { 'a.bin': large })
  const stalled = server.stall(/POST \/demo\.git\/git-upload-pack/, 200_000)
  const options = {
    cacheDirectory,
    path: PATH,
    allowedHosts: [server.host],
    author: { name: 'Gateway', email: 'gateway@example.com' },
    limits: { cloneTimeoutMs: 60_000, pushTimeoutMs: 60_000, maxBytes: 1_000_000_000 },
  }
  const { directory } = await place('killed')
  const program = `
    const { createGit } = await import(${JSON.stringify(INDEX)})
    const git = createGit({ ...${JSON.stringify(options)}, credentials: new Map() })
    const log = { warn() {}, info() {}, error() {}, debug() {} }
    const place = { directory: ${JSON.stringify(directory)}, workBranch: 'opencode/killed' }
    await git.fill({ url: ${JSON.stringify(url)} }, place, { signal: new AbortController().signal, log }, () => {})`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  await Promise.race([stalled.reached, ended])
  child.kill('SIGKILL')
  await ended
  const mirrors = path.join(cacheDirectory, 'mirrors')
  const drafts = path.join(cacheDirectory, 'drafts')
  assert.equal((await readdir(mirrors)).length, 1)
  // As one is left by a delivery, and by gateways of before.
  await mkdir(path.join(drafts, '5f0c1f3e-0c53-4c8a-9d3a-0d8f3a1f4c11', '.git'), { recursive: true })
  await mkdir(path.join(drafts, 'of somebody'))
  await mkdir(path.join(root, 'cache', 'home'), { recursive: true })

  // A clone of this life goes on; its git is not the one that was killed with its gateway.
  await server.addRepository('other', { 'b.bin': large })
  const held = server.stall(/POST \/other\.git\/git-upload-pack/, 200_000)
  const going = clone({ url: `${server.url}/other.git` }, await place(), ctx(), onGit)
  await Promise.race([held.reached, going])
  stalled.release()
  for (;;) {
    await git.clearLeftovers(quiet)
    if ((await readdir(mirrors)).length === 1) break
    await sleep(5, undefined, { signal: t.signal })
  }
  assert.deepEqual(await readdir(drafts), ['of somebody'])
  held.release()
  assert.equal((await going).baseBranch, 'main')
  assert.deepEqual((await readdir(mirrors)).length, 1)
  await stat(path.join(mirrors, (await readdir(mirrors))[0] ?? '', 'objects'))
})
