import type { AgentEvent, RunOutcome } from '@opencode-gateway/contracts'

/**
 * The iterator of the events, which hears of `return()` at once; `end` is called once, when nothing more comes, and
 * waited for. It is told the outcome, if there was one.
 */
export function endingWith(
  events: AsyncIterable<AgentEvent>,
  end: (outcome: RunOutcome | undefined) => void | Promise<void>,
): AsyncIterator<AgentEvent> {
  const iterator = events[Symbol.asyncIterator]()
  let outcome: RunOutcome | undefined
  let over = false
  const finish = async (): Promise<void> => {
    if (over) return
    over = true
    await end(outcome)
  }
  return {
    async next() {
      try {
        const item = await iterator.next()
        if (item.done) await finish()
        else if (item.value.type === 'outcome') outcome = item.value.outcome
        return item
      } catch (error) {
        await finish()
        throw error
      }
    },
    async return() {
      try {
        await iterator.return?.()
      } finally {
        await finish()
      }
      return { done: true, value: undefined }
    },
  }
}
