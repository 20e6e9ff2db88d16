import { after, before } from 'node:test'
import { executorConformance, type Ability } from '@opencode-gateway/executor-testing'
import { createScope } from './scope.ts'
import { startGateway, type Gateway } from './gateway.ts'
import { engineSessions, filesIn, startRealGateway, UNKNOWN_MODEL, type RealGateway } from './real-engine.ts'
import { connectRestExecutor } from './rest-executor/rest-executor.ts'
import { openSessions } from './rest-executor/open-sessions.ts'

// Not `sweep` and `close`: clients cannot ask for them.
const abilities: readonly Ability[] = [
  'shell',
  'followUps',
  'survivesRestart',
  'processes',
  'option:model',
  'option:agent',
  'option:system_prompt',
  'option:output_schema',
  'option:permissions',
  'option:interactive',
  'asks',
]

// More time than the patience that a provider asks for in the suite: a run that has less is ended by the gateway itself.
const env = { MAX_EXECUTION_TIME: '2h', RATE_LIMIT_MAX: '1000000' }

const scope = createScope()
let fake: Gateway
let real: RealGateway
before(async () => {
  fake = await startGateway(scope, { env, executor: { models: ['scripted/scripted'] } })
  real = await startRealGateway({ env })
  scope.after(async () => real[Symbol.asyncDispose]())
})
after(() => scope.close())

executorConformance({
  name: 'the gateway over HTTP, on the fake executor',
  abilities,
  make: async () => ({
    executor: await connectRestExecutor(fake.url),
    gates: fake.executor,
    unknownModel: 'scripted/unknown',
    maxOutputBytes: 1024 * 1024,
    async leftovers() {
      await scope.until(() => fake.app.eventStreams.open() === 0)
      const directories = [...fake.executor.engine.directories.keys()]
      return [...fake.executor.leftovers(), ...directories, ...(await openSessions(fake.url))]
    },
    close: async () => {},
  }),
})

executorConformance({
  name: 'the gateway over HTTP, with an engine',
  abilities,
  make: async () => ({
    executor: await connectRestExecutor(real.url),
    gates: real.model,
    unknownModel: UNKNOWN_MODEL,
    maxOutputBytes: 1024 * 1024,
    leftovers: async () => [
      ...(await filesIn(real.workspaceRoot)),
      ...engineSessions(real).map(({ id }) => id),
      ...(await openSessions(real.url)),
    ],
    close: async () => {},
  }),
})
