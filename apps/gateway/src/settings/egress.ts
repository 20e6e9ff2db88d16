import type { Log } from '@opencode-gateway/contracts'
import { createEgressProxy, type EgressProxy, type Passed } from '@opencode-gateway/egress-proxy'
import type { Config } from '../config.ts'

/** As many containers may have all the connections they may have. */
const CONTAINERS_AT_FULL = 16

/** The way of containers to other hosts; undefined where they are to have none. */
export function createEgress(
  { executor, docker }: Pick<Config, 'executor' | 'docker'>,
  { log, observe }: { log: Log; observe(passed: Passed): void },
): EgressProxy | undefined {
  const { hosts, privateHosts, maxConnections } = docker.egress
  if (executor !== 'docker' || hosts.length + privateHosts.length === 0) return undefined
  return createEgressProxy({
    policy: { hosts, privateHosts },
    limits: { maxConnections, maxAllConnections: maxConnections * CONTAINERS_AT_FULL },
    log,
    observe,
  })
}
