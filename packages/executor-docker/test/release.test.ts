import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { silentLog } from '@opencode-gateway/executor-testing'
import { createDaemon } from '../src/daemon/daemon.ts'
import { createDockerSession } from '../src/docker-session.ts'
import { createSessionEngine } from '../src/engine/session-engine.ts'

test('a release that failed is not taken for done, and one that is done is not done again', async () => {
  const sessionId = 'one'
  const notStarted = () => Promise.reject(new Error('nothing is started here'))
  const engine = createSessionEngine({
    log: silentLog,
    sessionId,
    idleTimeoutMs: 1_000,
    healthTimeoutMs: 1_000,
    healthFreshMs: 1_000,
    start: notStarted,
    find: notStarted,
  })
  const directory = path.join(tmpdir(), 'no-such-workspace')
  const shell = { directory, fromWorkspace: '.', mark: 'MARK=1', remove: async () => {} }
  const frees = [Promise.reject(new Error('the disk is gone')), Promise.resolve()]
  frees[0]?.catch(() => {})
  const session = createDockerSession({
    daemon: createDaemon({ address: { socketPath: path.join(tmpdir(), 'no-such.sock') }, timeoutMs: 1_000 }),
    engine,
    log: silentLog,
    sessionId,
    place: { directory, shell },
    workspacePath: directory,
    engineSessionId: 'ses_one',
    written: [],
    ownLimits: {},
    free: () => frees.shift() ?? Promise.reject(new Error('freed again')),
  })
  await assert.rejects(session.release('nothing'), /the disk is gone/)
  await Promise.all([session.release('nothing'), session.release('nothing')])
  await session.release('nothing')
  assert.equal(frees.length, 0)
})
