import assert from 'node:assert/strict'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { createGit } from '../../src/index.ts'
import { delivery, gitScene, PATH } from './scene.ts'

test('over ssh: the address that was looked up, the key of the host, no agent, no configuration of a user', async (t) => {
  const scene = await gitScene(t)
  const { server, root, place, ctx, onGit, cacheDirectory } = scene
  await server.addRepository('demo', { 'a.txt': '1\n' })
  const programs = path.join(root, 'bin')
  const log = path.join(root, 'ssh.log')
  await mkdir(programs)
  // Stands where ssh does: runs what it is asked to run on the "other" machine.
  await writeFile(
    path.join(programs, 'ssh'),
    `#!/bin/sh
printf '%s\\n' "$@" >>'${log}'
for last; do :; done
cd '${path.dirname(server.directoryOf('demo'))}' && exec sh -c "$last"
`,
  )
  await chmod(path.join(programs, 'ssh'), 0o755)
  const { fill: clone, deliver } = createGit({
    cacheDirectory,
    path: `${programs}:${PATH}`,
    credentials: new Map([['git.example.com', { sshKeyFile: "/keys/it's mine" }]]),
    author: { name: 'Gateway', email: 'gateway@example.com' },
    limits: { cloneTimeoutMs: 60_000, pushTimeoutMs: 60_000, maxBytes: 1_000_000_000 },
    resolve: async () => ['8.8.8.8'],
  })
  const at = await place()
  const source = { url: 'git@git.example.com:demo.git' }
  const repository = await clone(source, at, ctx(), onGit)
  await writeFile(path.join(at.directory, 'b.txt'), '2')
  const { commit } = await deliver(repository, at, delivery({ push: true }), ctx(), onGit)
  assert.equal(commit, await server.git('demo', 'rev-parse', at.workBranch))
  const words = (await readFile(log, 'utf8')).split('\n')
  for (const word of [
    'HostName=8.8.8.8',
    'HostKeyAlias=git.example.com',
    'StrictHostKeyChecking=accept-new',
    `UserKnownHostsFile="${path.join(cacheDirectory, 'known_hosts')}"`,
    'IdentityFile="/keys/it\'s mine"',
    'IdentityAgent=none',
    'BatchMode=yes',
    'ProxyCommand=none',
    '/dev/null',
    'git@git.example.com',
    "git-receive-pack 'demo.git'",
  ]) {
    assert.ok(words.includes(word), word)
  }
})
