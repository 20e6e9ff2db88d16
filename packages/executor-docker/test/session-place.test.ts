import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { access, mkdtemp, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { createDirectories } from '@opencode-gateway/workspaces'
import { createPlaces } from '../src/session-place.ts'

/** Deeper than a path can say. */
const DEEP = 'n=$(printf "d%.0s" $(seq 200)); for i in $(seq 60); do mkdir $n; cd -P $n; done; touch f'

test('what an agent makes beside its workspace holds up neither its next container nor its end', async (t) => {
  const root = await mkdtemp(path.join(tmpdir(), 'places-'))
  t.after(() => promisify(execFile)('rm', ['-rf', root]))
  const directories = createDirectories(root)
  await directories.prepare()
  const user = { uid: process.getuid?.() ?? 1, gid: process.getgid?.() ?? 1 }
  const places = createPlaces({ root, directories, user, maxCopyBytes: 1 })
  await places.prepare()
  await directories.create('one')
  const { home, sockets } = await places.ready('one')
  for (const cwd of [home, sockets]) await promisify(execFile)('bash', ['-c', DEEP], { cwd })
  await places.ready('one')
  assert.deepEqual((await readdir(sockets)).toSorted(), ['egress.sock', 'models.sock'])
  await access(home)
  await places.remove('one')
  assert.deepEqual(await places.list(), ['.owner'])
})
