import { GatewayError, leastMemoryBytes, type ContainerResources, type Resources } from '@opencode-gateway/contracts'
import type { Config } from '../config.ts'
import { oneOrAll } from '../http/one-or-all.ts'

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

/** What there is for everybody. */
export function mostResources({ docker, limits }: Pick<Config, 'docker' | 'limits'>): Required<ContainerResources> {
  return { ...docker.limits, diskBytes: limits.workspace.maxBytes }
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
  const { memory, cpus, pids, disk } = asked
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
  }
}

function bytesOf(size: number | string): number {
  const [, number, unit = ''] = /^(\d+)([kmg]?)$/i.exec(String(size)) ?? []
  return Number(number) * (UNITS[unit.toLowerCase()] ?? Number.NaN)
}

function tooHigh(name: string, asked: number | undefined, most: number, variable: string) {
  if (asked === undefined || asked <= most) return undefined
  return { field: `resources.${name}`, reason: `must be at most ${most} (${variable})` }
}
