// A gateway in a process of its own, as `server.ts` puts it together, but with an executor of the bench's choice.
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Executor } from '@opencode-gateway/contracts'
import { createServerExecutor } from '@opencode-gateway/executor-server'
import { createFakeExecutor } from '@opencode-gateway/executor-testing/fake'
import { buildApp } from '@opencode-gateway/gateway'
import { readEnv } from '@opencode-gateway/gateway/config'
import { sessionsLimits } from '@opencode-gateway/gateway/sessions-limits'
import { createSessions } from '@opencode-gateway/sessions'
import { createSqliteStore } from '@opencode-gateway/store-sqlite'
import { pino, type Logger } from 'pino'
import { createPacedExecutor } from './paced-executor.ts'
import { serveBench, type Served } from './serve.ts'

export interface GatewaySettings {
  directory: string
  /** `fake` plays scripts in memory; `paced` yields events at a rate; the last is the real one on an engine that runs. */
  executor: 'fake' | 'paced' | { url: string; username: string; password: string }
  /** Fixed, so that a restart comes back at the same address. */
  port?: number
  /** Environment of the gateway; what is absent keeps its default. */
  env?: Readonly<Record<string, string>>
}

await serveBench(async (settings): Promise<Served> => {
  const { directory, executor: kind, port = 0, env = {} } = settings as GatewaySettings
  const log = pino({ level: env['LOG_LEVEL'] ?? 'info' })
  const read = readEnv(
    // Nothing is refused for its number, or because the machine does other things as well.
    { DATA_DIR: join(directory, 'gateway'), RATE_LIMIT_MAX: '10000000', MAX_EVENT_LOOP_DELAY: '60s', ...env },
    {
      cwd: directory,
      home: homedir(),
      readText: (path) => readFileSync(path, 'utf8'),
      exists: existsSync,
      obstacle: () => undefined,
    },
  )
  if (read.status === 'invalid') throw new Error(JSON.stringify(read.problems))
  const { config, secrets } = read
  const store = createSqliteStore({ file: join(config.dataDir, 'gateway.db'), log })
  const executor = createExecutor(kind, config.workspaceRoot, log)
  const sessions = createSessions({
    store,
    executors: new Map([[executor.name, executor]]),
    log,
    owner: `bench-${process.pid}`,
    limits: sessionsLimits(config),
  })
  await store.open()
  const starting = new AbortController()
  await executor.start(starting.signal)
  await sessions.start(starting.signal)
  const app = await buildApp({ config, keys: secrets.keys, sessions, executor, store, log })
  const url = await app.listen({ host: config.host, port })
  return {
    url,
    async close() {
      await app.close()
      await sessions.close()
      await executor.close()
      await store.close()
    },
  }
})

function createExecutor(kind: GatewaySettings['executor'], workspaceRoot: string, log: Logger): Executor {
  if (kind === 'fake') return createFakeExecutor()
  if (kind === 'paced') return createPacedExecutor()
  return createServerExecutor({ workspaceRoot, log, remote: kind })
}
