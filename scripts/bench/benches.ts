import type { Bench } from './bench.ts'
import { appendToClient } from './cases/append-to-client.ts'
import { catalogue } from './cases/catalogue.ts'
import { clone } from './cases/clone.ts'
import { containerSessions } from './cases/container-sessions.ts'
import { containerStart } from './cases/container-start.ts'
import { createSessions } from './cases/create-sessions.ts'
import { healthz } from './cases/healthz.ts'
import { manySessions } from './cases/many-sessions.ts'
import { modelProxy } from './cases/model-proxy.ts'
import { repositorySessions } from './cases/repository-sessions.ts'
import { resume } from './cases/resume.ts'
import { runOverhead } from './cases/run-overhead.ts'
import { startAndIdle } from './cases/start-and-idle.ts'
import { store } from './cases/store.ts'
import { thousandStreams } from './cases/thousand-streams.ts'
import { workspace } from './cases/workspace.ts'

export const benches: readonly Bench[] = [
  runOverhead,
  store,
  createSessions,
  healthz,
  appendToClient,
  thousandStreams,
  startAndIdle,
  resume,
  clone,
  workspace,
  repositorySessions,
  modelProxy,
  containerStart,
  containerSessions,
  manySessions,
  catalogue,
]
