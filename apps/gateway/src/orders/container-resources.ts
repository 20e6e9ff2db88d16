import { GatewayError, leastMemoryBytes, type ContainerResources, type Resources } from '@opencode-gateway/contracts'
import { covers, parseHostRules, type HostRule } from '@opencode-gateway/egress-proxy'
import type { Config } from '../config.ts'
import { oneOrAll } from '../http/one-or-all.ts'

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

/** What there is for everybody. */
export function mostResources({ docker, limits }: Pick<Config, 'docker' | 'limits'>): Required<ContainerResources> {
  const { hosts, privateHosts } = docker.egress
  const egress = [...hosts, ...privateHosts].map(({ text }) => text)
  return { ...docker.limits, diskBytes: limits.workspace.maxBytes, egress }
}

/**
 * What the container of a session may use, where the request says anything of it. Throws RESOURCES_TOO_HIGH for more
 * than there is for everybody, INVALID_REQUEST for less memory than an engine needs.
 */
export function containerResources(
  asked: Resources | undefined,
  most: Required<ContainerResources>,
): ContainerResources | undefined {
  if (asked === undefined) return undefined
  const { memory, cpus, pids, disk, egress } = asked
  const memoryBytes = memory === undefined ? undefined : bytesOf(memory)
  const diskBytes = disk === undefined ? undefined : bytesOf(disk)
  if (memoryBytes !== undefined && memoryBytes < leastMemoryBytes) {
    throw new GatewayError('INVALID_REQUEST', `resources.memory ${JSON.stringify(memory)} must be at least 512m.`, {
      details: { field: 'resources.memory', reason: 'must be at least 512m' },
    })
  }
  const problems = [
    tooHigh('memory', memoryBytes, most.memoryBytes, 'DOCKER_MEMORY'),
    tooHigh('cpus', cpus, most.cpus, 'DOCKER_CPUS'),
    tooHigh('pids', pids, most.pids, 'DOCKER_PIDS_LIMIT'),
    tooHigh('disk', diskBytes, most.diskBytes, 'WORKSPACE_MAX_BYTES'),
    ...notAllowed(egress ?? [], most.egress),
  ].filter((problem) => problem !== undefined)
  const [first] = problems
  if (first) {
    const text = `${first.field} ${first.reason}. A request lowers what a container may use and never raises it.`
    throw new GatewayError('RESOURCES_TOO_HIGH', text, { details: oneOrAll(problems) })
  }
  return {
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(pids === undefined ? {} : { pids }),
    ...(diskBytes === undefined ? {} : { diskBytes }),
    ...(egress === undefined ? {} : { egress }),
  }
}

function bytesOf(size: number | string): number {
  const [, number, unit = ''] = /^(\d+)([kmg]?)$/i.exec(String(size)) ?? []
  return Number(number) * (UNITS[unit.toLowerCase()] ?? Number.NaN)
}

/** Hosts that are not among those of everybody. INVALID_REQUEST for what is no host. */
function notAllowed(asked: readonly string[], most: readonly string[]) {
  const all = most.flatMap((entry) => rulesOf(entry, 'resources.egress'))
  return asked.flatMap((entry, at) => {
    const field = `resources.egress.${at}`
    const refused = rulesOf(entry, field).find((rule) => !covers(all, rule))
    if (refused === undefined) return []
    const isHalf = refused.port === undefined && [80, 443].some((port) => covers(all, { ...refused, port }))
    const ports = isHalf ? '; without a port it means 80 and 443, and one of them is not' : ''
    return [{ field, reason: `must be one of the hosts that are allowed (DOCKER_EGRESS)${ports}` }]
  })
}

function rulesOf(entry: string, field: string): readonly HostRule[] {
  const parsed = parseHostRules(entry)
  if (parsed.status === 'rules') return parsed.rules
  const reason = `must name a host; of ${JSON.stringify(parsed.entry)}: ${parsed.why}`
  throw new GatewayError('INVALID_REQUEST', `${field} ${reason}.`, { details: { field, reason } })
}

function tooHigh(name: string, asked: number | undefined, most: number, variable: string) {
  if (asked === undefined || asked <= most) return undefined
  return { field: `resources.${name}`, reason: `must be at most ${most} (${variable})` }
}
