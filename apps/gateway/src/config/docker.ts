import { availableParallelism } from 'node:os'
import { dockerVariables } from './variables/docker.ts'
import type { ConfigProblem } from './problem.ts'
import type { Environment, Reader } from './reader.ts'

export type DockerConfig = ReturnType<typeof readDocker>

/** Those whose sessions have no run at the moment are kept, too. */
const CONTAINERS_PER_RUN = 4

/** What containers are made with. */
export function readDocker({ read }: Reader, env: Environment, maxConcurrentRuns: number) {
  return {
    daemon: read(dockerVariables.dockerHost),
    image: read(dockerVariables.image),
    /** Whoever can push a tag decides what runs: outside of development that is not enough. */
    mustBePinned: env.NODE_ENV?.trim() === 'production',
    pull: read(dockerVariables.dockerPull),
    network: read(dockerVariables.dockerNetwork),
    runtime: read(dockerVariables.dockerRuntime),
    user: read(dockerVariables.dockerUser),
    limits: {
      memoryBytes: read(dockerVariables.dockerMemory),
      cpus: read(dockerVariables.dockerCpus),
      pids: read(dockerVariables.dockerPidsLimit),
    },
    idleTimeoutMs: read(dockerVariables.dockerIdleMs),
    maxContainers: read(dockerVariables.dockerMaxContainers) ?? CONTAINERS_PER_RUN * maxConcurrentRuns,
    maxStarts: read(dockerVariables.dockerMaxStarts) ?? startsAtOnce(availableParallelism()),
    egress: {
      hosts: read(dockerVariables.dockerEgress) ?? [],
      /** Whatever address they have. */
      privateHosts: read(dockerVariables.dockerEgressPrivate) ?? [],
      /** Of one container. */
      maxConnections: read(dockerVariables.dockerEgressConnections),
    },
    warmPool: { size: read(dockerVariables.dockerWarmPool) },
  }
}

/** An engine that comes up takes a processor for itself; one more waits for the disk. */
function startsAtOnce(processors: number): number {
  return Math.min(Math.max(processors, 2), 16)
}

export function imageProblems({ image, mustBePinned }: Pick<DockerConfig, 'image' | 'mustBePinned'>): ConfigProblem[] {
  if (!mustBePinned || /(?:^|@)sha256:[0-9a-f]{64}$/.test(image)) return []
  return [
    {
      name: dockerVariables.image.name,
      got: JSON.stringify(image),
      expected: 'an image that is pinned, "name@sha256:…" or "sha256:…", since NODE_ENV is production',
      consequence: 'another image than the one that was tried could run under that name',
    },
  ]
}
