import helmet from '@fastify/helmet'
import type { Executor, Store, UsageLog } from '@opencode-gateway/contracts'
import { generateSealingKey, type SealingKey } from '@opencode-gateway/sealing'
import type { Sessions } from '@opencode-gateway/sessions'
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { answerClientError } from './http/client-error.ts'
import type { Config, Secrets } from './config.ts'
import { engineHealth } from './start/engine-health.ts'
import type { ExecutorStartup } from './start/executor-startup.ts'
import { acceptJson } from './http/json-body.ts'
import { createStreamTokens } from './http/stream-tokens.ts'
import { createMetrics, type Metrics } from './metrics/metrics.ts'
import type { ModelProxy } from '@opencode-gateway/model-proxy'
import type { ModelChoices } from './orders/model-order.ts'
import { sharedSchemas } from './openapi/shared-schemas.ts'
import { auth } from './plugins/auth.ts'
import { documentation } from './plugins/documentation.ts'
import { errors, sendProblem } from './plugins/errors.ts'
import { eventStreams } from './plugins/event-streams.ts'
import { httpMetrics } from './plugins/http-metrics.ts'
import { httpRules } from './plugins/http-rules.ts'
import { refuseOtherMethods } from './plugins/methods.ts'
import { pressure } from './plugins/pressure.ts'
import { rateLimit } from './plugins/rate-limit.ts'
import { requestId } from './plugins/request-id.ts'
import { requestLog } from './plugins/request-log.ts'
import { stopping } from './plugins/stopping.ts'
import { strictInput } from './plugins/strict-input.ts'
import { upgrades } from './plugins/upgrades.ts'
import { webSockets } from './plugins/web-sockets.ts'
import type { ProviderConfigs } from './providers/provider-configs.ts'
import { createReadiness } from './start/readiness.ts'
import { requestIdOf } from './http/request-id.ts'
import { archiveRoutes } from './routes/archive.ts'
import { askRoutes } from './routes/asks.ts'
import { capabilityRoutes } from './routes/capabilities.ts'
import { diffRoutes } from './routes/diff.ts'
import { eventRoutes } from './routes/events.ts'
import { fileContentRoutes } from './routes/file-content.ts'
import { fileWatchRoutes } from './routes/file-watch.ts'
import { fileRoutes } from './routes/files.ts'
import { forkRoutes } from './routes/fork.ts'
import { healthRoutes } from './routes/health.ts'
import { messageRoutes } from './routes/messages.ts'
import { metricsRoute } from './routes/metrics.ts'
import { providerRoutes } from './routes/providers.ts'
import { pauseRoutes } from './routes/pause.ts'
import { resetRoutes } from './routes/reset.ts'
import { retryRoutes } from './routes/retry.ts'
import { runRoutes } from './routes/run.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { shellRoutes } from './routes/shell.ts'
import { usageRoutes } from './routes/usage.ts'
import { streamRoutes } from './routes/stream.ts'
import { streamTokenRoutes } from './routes/stream-token.ts'
import { workspaceRoutes } from './routes/workspace.ts'
import { shutdownPlan } from './start/shutdown-plan.ts'
import { validatorCompiler } from './http/validation.ts'
import { readVersion } from './version.ts'
import { createWorkspaceRoom } from './orders/workspace-room.ts'
import { isWebSocketRequest } from './http/web-socket-request.ts'

export interface AppOptions {
  config: Config
  keys: Secrets['keys']
  sealing?: Secrets['sealing']
  /** Seals the tokens of readers; one of its own unless given, and tokens end with the process. */
  streamTokenKey?: SealingKey
  sessions: Sessions
  executor: Executor
  store: Pick<Store, 'check'> & Pick<UsageLog, 'reportUsage'>
  log: FastifyBaseLogger
  /** Providers that an engine calls past the model proxy; none unless given. */
  directProviders?: readonly string[]
  /** What requests may choose of models; nothing unless given. */
  models?: ModelChoices | undefined
  /** Named configurations of tenants; none unless given. */
  providers?: ProviderConfigs | undefined
  /** Calls a provider once. */
  checkProvider?: ModelProxy['check'] | undefined
  /** Counts what happens; of its own unless given. Served here unless the configuration has a port for it. */
  metrics?: Metrics
  /** Whether the executor has started; taken for started unless given. */
  startup?: () => ExecutorStartup
  /** Whether the gateway has begun to shut down. */
  draining?: () => boolean
  /** Makes the document of its routes, which is else taken for what is committed. */
  describe?: boolean
}

/** The HTTP edge over what it is given; whoever builds it starts and closes those. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { config, keys, sessions, executor, store, log } = options
  const { startup = () => ({ status: 'started' }), draining = () => false } = options
  const { metrics = createMetrics({ process: false }), streamTokenKey = generateSealingKey().key } = options
  const version = readVersion()
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: (request) => requestIdOf(request.headers['x-request-id']),
    requestIdHeader: false,
    bodyLimit: config.limits.maxRequestBytes,
    // A request arrives within these, or not at all: without them a byte per second keeps a connection for ever.
    requestTimeout: 120_000,
    http: {
      headersTimeout: 30_000,
      maxHeaderSize: 16_384,
      keepAlive: true,
      keepAliveInitialDelay: 30_000,
      requireHostHeader: false,
      shouldUpgradeCallback: isWebSocketRequest,
    },
    // Whoever waits for a run is silent for as long as it takes; the network's own keep-alive finds dead peers.
    connectionTimeout: 0,
    keepAliveTimeout: 72_000,
    maxRequestsPerSocket: 10_000,
    // The plugin `stopping` has waited for the last answers by then.
    forceCloseConnections: true,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 128 },
    // A serializer compiled for every status of every route would double the time and the memory the start takes.
    schemaController: { compilersFactory: { buildSerializer: () => () => JSON.stringify } },
    clientErrorHandler: answerClientError,
    frameworkErrors: (err, request, reply) => {
      void reply.header('x-request-id', request.id)
      void sendProblem(request, reply, err)
    },
  })
  app.setValidatorCompiler(validatorCompiler(sharedSchemas))
  acceptJson(app)
  app.removeContentTypeParser('text/plain')

  await app.register(requestId)
  await app.register(errors)
  await app.register(upgrades)
  await app.register(httpRules)
  await app.register(httpMetrics, { metrics: metrics.http })
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
    },
    // TLS ends in front of the gateway, and with it the decision to insist on it.
    strictTransportSecurity: false,
  })
  const { tokenLifetimeMs: lifetimeMs } = config.streams
  const streamTokens = createStreamTokens({ key: streamTokenKey, lifetimeMs })
  await app.register(auth, { keys, streamTokens, host: config.host })
  await app.register(requestLog)
  await app.register(pressure, { maxEventLoopDelayMs: config.limits.maxEventLoopDelayMs })
  await app.register(rateLimit, config.rateLimit)
  await app.register(stopping, shutdownPlan(config.shutdownGraceMs))
  await app.register(eventStreams, {
    ...config.streams,
    retentionMs: config.eventRetentionMs,
    metrics: metrics.streams,
  })
  await app.register(webSockets, {
    ...config.streams,
    ...shutdownPlan(config.shutdownGraceMs),
    metrics: metrics.streams,
  })
  if (options.describe === true) {
    const { openapi } = await import('./plugins/openapi.ts')
    await app.register(openapi, { version })
  }
  await app.register(documentation)
  await app.register(strictInput)
  refuseOtherMethods(app)

  const readiness = createReadiness({
    store,
    executor,
    sessions,
    startup,
    draining,
    workspaceRoot: config.workspaceRoot,
    log,
  })
  await app.register(healthRoutes, { version, readiness })
  const room = createWorkspaceRoom(config.limits.workspace)
  const routeOptions = {
    config,
    sessions,
    executor,
    startup,
    room,
    streamTokens,
    models: options.models,
    providers: options.providers,
    sealing: options.sealing,
  }
  const { directProviders = [] } = options
  await app.register(capabilityRoutes, { ...routeOptions, version, directProviders })
  const routesOfSessions = [
    runRoutes,
    sessionRoutes,
    messageRoutes,
    shellRoutes,
    retryRoutes,
    pauseRoutes,
    askRoutes,
    streamRoutes,
    streamTokenRoutes,
    eventRoutes,
    workspaceRoutes,
    fileRoutes,
    fileContentRoutes,
    fileWatchRoutes,
    archiveRoutes,
    diffRoutes,
    resetRoutes,
    forkRoutes,
  ]
  for (const routes of routesOfSessions) {
    await app.register(routes, routeOptions)
  }
  await app.register(providerRoutes, { providers: options.providers, check: options.checkProvider })
  await app.register(usageRoutes, { usageLog: store })
  if (config.metricsPort === undefined) {
    const health = () => engineHealth({ executor, startup })
    await app.register(metricsRoute, { metrics, health, load: sessions.load })
  }
  return app
}
