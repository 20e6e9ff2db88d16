import { ExecutorError } from '@opencode-gateway/contracts'
import type { ContainerUser } from '../options.ts'

const FIRST_USER: ContainerUser = { uid: 1000, gid: 1000 }

/**
 * Whom containers run as, never root. Both sides work in the same files: only root can hand them over, so everybody
 * else's containers run as themselves.
 */
export function containerUser(given: ContainerUser | undefined, own: { uid: number; gid: number }): ContainerUser {
  const user = given ?? (own.uid === 0 ? FIRST_USER : own)
  if (user.uid === 0 || user.gid === 0) throw refused(`must not be root, which "${user.uid}:${user.gid}" is`)
  if (own.uid !== 0 && user.uid !== own.uid) {
    throw refused(
      `is ${user.uid}, but only root can share files with another user; leave it out or set it to ${own.uid}`,
    )
  }
  return user
}

function refused(why: string): ExecutorError {
  return new ExecutorError('EXECUTOR_UNAVAILABLE', `the user of the containers (DOCKER_USER) ${why}`, {
    retryable: false,
  })
}
