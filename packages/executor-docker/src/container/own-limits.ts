import type { ContainerResources, ExecutorRef } from '@opencode-gateway/contracts'
import type { ContainerLimits } from '../options.ts'

/** What of it is the container's; undefined where that is nothing: the workspace is looked after by whoever runs. */
export function ofContainer(resources: ContainerResources | undefined): ContainerResources | undefined {
  const { diskBytes: _, ...own } = resources ?? {}
  return Object.keys(own).length > 0 ? own : undefined
}

/** In the session's ref, so that it has the same after a restart. */
export function writtenLimits({ memoryBytes, cpus, pids, egress }: ContainerResources): Record<string, string> {
  return {
    ...(memoryBytes === undefined ? {} : { memory_bytes: String(memoryBytes) }),
    ...(cpus === undefined ? {} : { cpus: String(cpus) }),
    ...(pids === undefined ? {} : { pids: String(pids) }),
    ...(egress === undefined ? {} : { egress: egress.join() }),
  }
}

export function limitsIn(ref: ExecutorRef): ContainerResources {
  const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text))
  const { egress } = ref
  const [memoryBytes, cpus, pids] = [number(ref['memory_bytes']), number(ref['cpus']), number(ref['pids'])]
  return {
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(pids === undefined ? {} : { pids }),
    ...(egress === undefined ? {} : { egress: egress === '' ? [] : egress.split(',') }),
  }
}

/** A session's own limits lower those of everybody and never raise them, also when those were lowered since. */
export function lowered(limits: ContainerLimits, own: ContainerResources | undefined): ContainerLimits {
  if (!own) return limits
  const least = (most: number, asked: number | undefined): number => Math.min(most, asked ?? most)
  const memoryBytes = least(limits.memoryBytes, own.memoryBytes)
  return {
    ...limits,
    memoryBytes,
    cpus: least(limits.cpus, own.cpus),
    pids: least(limits.pids, own.pids),
    // It is taken from the memory: in full it would leave no room for the engine.
    tmpBytes: least(limits.tmpBytes, Math.floor(memoryBytes / 4)),
  }
}
