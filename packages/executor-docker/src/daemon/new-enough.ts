import { ExecutorError } from '@opencode-gateway/contracts'
import type { Daemon } from './daemon.ts'

/** Of Docker 17.06: before it a wait for an end that has been is none. */
const LEAST = { major: 1, minor: 30 }

/** Throws EXECUTOR_UNAVAILABLE, not to be tried again, for a daemon that is too old. */
export async function requireNewEnough(
  daemon: Pick<Daemon, 'apiVersion' | 'address'>,
  signal: AbortSignal,
): Promise<void> {
  const version = await daemon.apiVersion(signal)
  const [, major, minor] = /^(\d+)\.(\d+)$/.exec(version) ?? []
  if (Number(major) > LEAST.major || (Number(major) === LEAST.major && Number(minor) >= LEAST.minor)) return
  const text =
    `the Docker daemon at ${daemon.address} speaks version "${version}" of its API, and ${LEAST.major}.${LEAST.minor} ` +
    'is needed; install a newer Docker, or name another daemon in DOCKER_HOST'
  throw new ExecutorError('EXECUTOR_UNAVAILABLE', text, { retryable: false })
}
