const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'the gate may not open the socket; run it with the group of the socket (DOCKER_GID)',
  ENOENT: 'there is no such socket; is Docker running, and is its socket mounted into the gate?',
  ECONNREFUSED: 'nobody listens there; is Docker running?',
  TimeoutError: 'it did not answer in time',
}

/** What clients are told of a call that did not reach the daemon: what to do, and nothing of where it is. */
export function unreachable(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const reason = REASONS[code] ?? REASONS[error.name]
  return reason === undefined ? 'the Docker daemon cannot be reached' : `the Docker daemon cannot be reached: ${reason}`
}
