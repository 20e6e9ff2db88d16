import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { ExecutorError } from '@opencode-gateway/contracts'

/** Of Linux; Node has no name for it. Opens the thing itself, whatever it is, and asks nothing of it. */
const O_PATH = 0o10000000

/** Whether the engine's socket is there. */
export async function isSocketThere(path: string): Promise<boolean> {
  try {
    const handle = await open(path, O_PATH | constants.O_NOFOLLOW)
    try {
      return (await handle.stat()).isSocket()
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}

/**
 * Connects to a socket in a directory where an agent can put anything: a link in its place, to a socket of this machine
 * for one, is refused, also when it appears meanwhile. Throws ENGINE_LOST.
 */
export async function connectToEngine(path: string, signal: AbortSignal): Promise<Socket> {
  const handle = await open(path, O_PATH | constants.O_NOFOLLOW).catch((cause: unknown) => {
    throw new ExecutorError('ENGINE_LOST', 'the container has no socket of its engine', { cause })
  })
  try {
    if (!(await handle.stat()).isSocket()) {
      throw new ExecutorError('ENGINE_LOST', "there is something else in place of the container's socket")
    }
    return await connected(connect({ path: `/proc/self/fd/${handle.fd}` }), signal)
  } finally {
    await handle.close()
  }
}

function connected(socket: Socket, signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const giveUp = (): void => {
    socket.destroy()
    reject(new ExecutorError('ENGINE_LOST', "the container's socket does not answer", { cause: signal.reason }))
  }
  const fail = (cause: Error): void => {
    signal.removeEventListener('abort', giveUp)
    reject(new ExecutorError('ENGINE_LOST', "the container's socket could not be connected to", { cause }))
  }
  socket.once('error', fail)
  socket.once('connect', () => {
    signal.removeEventListener('abort', giveUp)
    socket.off('error', fail)
    resolve(socket)
  })
  if (signal.aborted) giveUp()
  else signal.addEventListener('abort', giveUp, { once: true })
  return promise
}
