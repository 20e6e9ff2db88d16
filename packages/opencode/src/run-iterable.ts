import type { AgentEvent } from '@opencode-gateway/contracts'

class ConsumerLeft extends Error {
  constructor() {
    super('the consumer of the run left')
    this.name = 'ConsumerLeft'
  }
}

/**
 * An iterable over a run that hears of the consumer's `return()` at once. An async generator alone would not: it is
 * told only when its current step settles, which is when the engine next says something. `isUnderWay`: the run goes on
 * before anybody reads of it, so that whoever leaves then ends it, too.
 */
export function createRunIterable(
  signal: AbortSignal,
  start: (signal: AbortSignal) => AsyncGenerator<AgentEvent, void, undefined>,
  { isUnderWay }: { isUnderWay: boolean },
): AsyncIterable<AgentEvent> {
  return {
    [Symbol.asyncIterator]() {
      const left = new AbortController()
      const generator = start(AbortSignal.any([signal, left.signal]))
      let begun = false
      return {
        next() {
          begun = true
          return generator.next()
        },
        async return() {
          left.abort(new ConsumerLeft())
          // A generator that has not begun ends without a word.
          if (isUnderWay && !begun) await generator.next()
          return await generator.return()
        },
      }
    },
  }
}
