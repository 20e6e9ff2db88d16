export { createDockerExecutor } from './docker-executor.ts'
export type {
  ContainerLimits,
  ContainerUser,
  DaemonAddress,
  DockerExecutorOptions,
  ModelsSocket,
  OpenModels,
} from './options.ts'
