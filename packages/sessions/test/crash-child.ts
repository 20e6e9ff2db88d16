// A gateway's sessions in a process of their own, which kills itself at the crash point it is given.
import { createFakeExecutor } from '@opencode-gateway/executor-testing'
import { createSqliteStore } from '@opencode-gateway/store-sqlite'
import { createSessions, type CrashPoint } from '../src/index.ts'
import { silent, tenant, testLimits } from './setup.ts'

const [file = '', point, prompt] = process.argv.slice(2)

const store = createSqliteStore({ file })
const executor = createFakeExecutor()
const sessions = createSessions({
  store,
  executors: new Map([[executor.name, executor]]),
  log: silent,
  owner: `child-${process.pid}`,
  limits: testLimits,
  crashPoint(name: CrashPoint) {
    if (name === point) process.kill(process.pid, 'SIGKILL')
  },
})
const { signal } = new AbortController()
await store.open()
await executor.start(signal)
await sessions.start(signal)
if (prompt !== undefined) {
  await sessions.create({
    tenant,
    requestId: 'request',
    run: { kind: 'prompt', prompt, timeoutMs: 60_000 },
    oneShot: true,
  })
}
// Only the crash ends this process: one that never reaches its crash point is ended by the test's time limit.
setInterval(() => {}, 60_000)
