import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { noOrphans } from '../../chaos/checks/no-orphans.ts'
import { noWorkspaces } from '../../chaos/checks/no-workspaces.ts'
import { killAllWith, processesWith } from '../../chaos/lib/processes.ts'
import { tempDir } from './temp-dir.ts'

const gateway = { pid: 10, command: 'gateway', ancestors: [1] }
const engine = { pid: 11, command: 'engine', ancestors: [10, 1] }
const orphan = { pid: 12, command: 'engine', ancestors: [1] }

test('what the gateway started is no orphan, what it did not start is one', () => {
  assert.deepEqual(noOrphans.complaints({ processes: [gateway, engine], roots: [10] }), [])
  assert.deepEqual(noOrphans.complaints({ processes: [gateway, engine, orphan], roots: [10] }), [
    'process 12 is left behind: engine',
  ])
})

test('every name in the workspace root is one too many', () => {
  assert.deepEqual(noWorkspaces.complaints([]), [])
  assert.deepEqual(noWorkspaces.complaints(['s1']), ['"s1" is left in the workspace root'])
})

async function sleeper(t: TestContext, options: { cwd?: string; env?: NodeJS.ProcessEnv; args?: string[] }) {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 60_000)', ...(options.args ?? [])], {
    stdio: 'ignore',
    ...options,
  })
  await once(child, 'spawn')
  t.after(() => child.kill('SIGKILL'))
  return child
}

test('a process belongs where its environment, its arguments or its directory say, and is found with its parents', async (t) => {
  const directory = await tempDir(t)
  const found = async () => new Set((await processesWith(directory)).map(({ pid }) => pid))
  assert.deepEqual(await found(), new Set())
  const byEnvironment = await sleeper(t, { env: { MARK: `${directory}/a` } })
  const byArguments = await sleeper(t, { args: [directory] })
  const byDirectory = await sleeper(t, { cwd: directory })
  assert.deepEqual(await found(), new Set([byEnvironment.pid, byArguments.pid, byDirectory.pid]))
  for (const { ancestors } of await processesWith(directory)) assert.equal(ancestors[0], process.pid)
})

test('all that belongs to a place is ended, and what has ended is no longer found', async (t) => {
  const directory = await tempDir(t)
  const child = await sleeper(t, { cwd: directory })
  const exited = once(child, 'exit')
  await killAllWith(directory, t.signal)
  assert.deepEqual(await processesWith(directory), [])
  assert.deepEqual(await exited, [null, 'SIGKILL'])
})
