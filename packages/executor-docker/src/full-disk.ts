import { statfs } from 'node:fs/promises'
import { ExecutorError } from '@opencode-gateway/contracts'
import type { AgentEvent, ErrorCode } from '@opencode-gateway/contracts'

/** With less left the database of an engine cannot grow. */
const LEAST_BYTES = 1024 ** 2
/** What an engine fails with that cannot write: its own words tell of statements that failed, or of nothing at all. */
const ITS_CODES: readonly ErrorCode[] = [
  'CONTAINER_DIED',
  'ENGINE_LOST',
  'EXECUTOR_UNAVAILABLE',
  'RUN_FAILED',
  'RUN_INTERRUPTED',
  'WORKSPACE_ERROR',
]

/** The error as DISK_FULL when one of the directories has no room left and may be its cause; else itself. */
export async function orDiskFull<T extends { code: ErrorCode; message: string }>(
  error: T,
  directories: readonly string[],
): Promise<T | ExecutorError> {
  if (!ITS_CODES.includes(error.code)) return error
  const isFull = (await Promise.all(directories.map(hasNoRoom))).includes(true)
  if (!isFull) return error
  const text = `no space is left on the disk with the session's files (WORKSPACE_ROOT); make room there: ${error.message}`
  return new ExecutorError('DISK_FULL', text, { cause: error })
}

/** The same events; an error in them, or thrown, is told as `orDiskFull` has it. */
export function tellingFullDisk(
  events: AsyncIterable<AgentEvent>,
  directories: readonly string[],
): AsyncIterable<AgentEvent> {
  const tell = async (event: AgentEvent): Promise<AgentEvent> => {
    if (event.type !== 'outcome' || !event.outcome.error) return event
    const { code, message, retryable } = await orDiskFull(event.outcome.error, directories)
    return { ...event, outcome: { ...event.outcome, error: { code, message, retryable } } }
  }
  return {
    [Symbol.asyncIterator]() {
      const iterator = events[Symbol.asyncIterator]()
      return {
        async next() {
          try {
            const item = await iterator.next()
            return item.done ? item : { done: false, value: await tell(item.value) }
          } catch (error) {
            throw error instanceof ExecutorError ? await orDiskFull(error, directories) : error
          }
        },
        async return() {
          await iterator.return?.()
          return { done: true, value: undefined }
        },
      }
    },
  }
}

async function hasNoRoom(directory: string): Promise<boolean> {
  const found = await statfs(directory).catch(() => undefined)
  if (!found) return false
  return found.bavail * found.bsize < LEAST_BYTES || (found.files > 0 && found.ffree === 0)
}
