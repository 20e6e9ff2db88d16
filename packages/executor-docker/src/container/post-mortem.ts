import { ExecutorError } from '@opencode-gateway/contracts'
import type { ErrorCode } from '@opencode-gateway/contracts'
import type { ContainerFacts } from '../daemon/daemon.ts'

export type Remains = Pick<ContainerFacts, 'exitCode' | 'outOfMemory' | 'error'> & {
  /** The end of what it wrote. */
  log: string
}

/** Exit code of a process that a signal ended: 128 and its number. */
const KILLED = 137
const TERMINATED = 143

/** Why a container is no more that nobody asked to end; `undefined`: nothing is left of it. */
export function postMortem(remains: Remains | undefined): ExecutorError {
  if (!remains) return new ExecutorError('CONTAINER_DIED', 'the container was removed by somebody else')
  const { code, why } = causeOf(remains)
  const tail = remains.log.trim() === '' ? '' : `; its last lines:\n${remains.log}`
  return new ExecutorError(code, `${why}${tail}`)
}

function causeOf({ exitCode, outOfMemory, error, log }: Remains): { code: ErrorCode; why: string } {
  if (outOfMemory) {
    return { code: 'OUT_OF_MEMORY', why: `the container ran out of memory (exit code ${exitCode}); see DOCKER_MEMORY` }
  }
  if (/no space left on device|ENOSPC|database or disk is full/i.test(`${error}\n${log}`)) {
    return { code: 'DISK_FULL', why: `the container ran out of disk space (exit code ${exitCode})` }
  }
  if (/can't fork|cannot fork|fork: retry|Resource temporarily unavailable|pthread_create/i.test(log)) {
    return {
      code: 'PIDS_LIMIT',
      why: `the container had too many processes (exit code ${exitCode}); see DOCKER_PIDS_LIMIT`,
    }
  }
  if (exitCode === KILLED) return { code: 'CONTAINER_DIED', why: 'the container was killed from outside' }
  if (exitCode === TERMINATED) {
    return { code: 'CONTAINER_DIED', why: 'the container was stopped from outside, perhaps with the Docker daemon' }
  }
  const detail = error === '' ? '' : `: ${error}`
  return { code: 'CONTAINER_DIED', why: `the container ended with exit code ${exitCode}${detail}` }
}
