export { createDockerExecutor } from './docker-executor.ts'
export type {
  ContainerLimits,
  ContainerUser,
  DaemonAddress,
  DockerExecutorOptions,
  OpenEgress,
  OpenSocket,
  SessionSocket,
} from './options.ts'
