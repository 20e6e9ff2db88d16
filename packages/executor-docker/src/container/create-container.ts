import { ExecutorError } from '@opencode-gateway/contracts'
import { isOwned } from './container-spec.ts'
import type { ContainerBody } from './container-spec.ts'
import type { Daemon } from '../daemon/daemon.ts'
import { DaemonError, isStatus } from '../daemon/daemon-error.ts'

/** Creates the container; one of ours that is left under its name goes first. Settles with its id. */
export async function createContainer(
  daemon: Daemon,
  { name, owner }: { name: string; owner: string },
  body: ContainerBody,
  signal: AbortSignal,
): Promise<string> {
  try {
    return await daemon.create(name, body, signal)
  } catch (error) {
    if (error instanceof DaemonError && /the most that are allowed/.test(error.message))
      throw new ExecutorError('TOO_MANY_CONTAINERS', error.message, { cause: error })
    if (!isStatus(error, 409)) throw explained(error, body.Image)
  }
  const former = await daemon.inspect(name, signal)
  if (former && !isOwned(former.labels, owner)) {
    throw new ExecutorError('EXECUTOR_UNAVAILABLE', `the container "${name}" is in the way, and not ours to remove`)
  }
  await daemon.remove(name, signal)
  return await daemon.create(name, body, signal)
}

function explained(error: unknown, image: string): unknown {
  if (!(error instanceof DaemonError)) return error
  if (isStatus(error, 404) && /no such image/i.test(error.message)) {
    const text = `the engine image "${image}" is not there; build or pull it, or set OPENCODE_IMAGE`
    return new ExecutorError('IMAGE_UNAVAILABLE', text, { cause: error })
  }
  if (isStatus(error, 400) && /bind source path does not exist|invalid mount config/i.test(error.message)) {
    const text = `${error.message}. The Docker daemon must see WORKSPACE_ROOT under the same path as the gateway`
    return new ExecutorError('EXECUTOR_UNAVAILABLE', text, { cause: error })
  }
  return error
}
