export { createServerExecutor } from './server-executor.ts'
export type { RecycleLimits } from './engine-growth.ts'
export type { EmbeddedEngineOptions, RemoteEngineOptions, ServerExecutorOptions } from './options.ts'
export { providerOfVariable, providerVariables } from '@opencode-gateway/opencode'
