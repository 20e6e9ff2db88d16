export { createDockerExecutor } from './docker-executor.ts'
export type {
  ContainerLimits,
  ContainerUser,
  DaemonAddress,
  DockerExecutorOptions,
  OpenSocket,
  SessionSocket,
} from './options.ts'
