import { Detached, type AgentEvent, type EventBody } from '@opencode-gateway/contracts'
import { skipLogged } from './missing-events.ts'
import type { FakeRun } from './run.ts'

const END: IteratorResult<AgentEvent, undefined> = { done: true, value: undefined }

/**
 * Reads a run that is begun by the first `next()`; `stopped` asks for one that does nothing but end. Written out instead
 * of as a generator, since a generator keeps `return()` waiting for as long as a `next()` is pending. One that `isUnderWay`
 * goes on before it is read, and is stopped by who leaves then, too.
 */
export function readRun(
  begin: (stopped: boolean) => FakeRun,
  signal: AbortSignal,
  { logged = [], isUnderWay = false }: { logged?: readonly EventBody[]; isUnderWay?: boolean } = {},
): AsyncIterableIterator<AgentEvent, undefined> {
  const missing = skipLogged(logged)
  const waiting: PromiseWithResolvers<IteratorResult<AgentEvent, undefined>>[] = []
  let run: FakeRun | undefined
  let unwatch: (() => void) | undefined
  let read = 0
  let done = false

  function end(): void {
    done = true
    unwatch?.()
    signal.removeEventListener('abort', onAbort)
  }

  function letGo(): void {
    end()
    changed()
  }

  function onAbort(): void {
    if (signal.reason instanceof Detached) letGo()
    else void run?.stop()
  }

  function start(): void {
    if (signal.reason instanceof Detached) return end()
    run = begin(signal.aborted)
    unwatch = run.watch(changed)
    signal.addEventListener('abort', onAbort, { once: true })
  }

  function take(): IteratorResult<AgentEvent, undefined> | undefined {
    if (done || !run) return END
    const { events } = run.output
    while (read < events.length) {
      const event = events[read]
      read += 1
      const rest = event && missing(event)
      if (rest) return { done: false, value: rest }
    }
    const outcome = run.outcome()
    if (!outcome) return undefined
    end()
    return { done: false, value: { type: 'outcome', outcome } }
  }

  function changed(): void {
    for (let next = waiting[0]; next; next = waiting[0]) {
      const result = take()
      if (!result) return
      waiting.shift()
      next.resolve(result)
    }
  }

  async function stop(): Promise<void> {
    if (isUnderWay && !run && !done) start()
    if (!done) await run?.stop()
    letGo()
  }

  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      if (!run && !done) start()
      const result = waiting.length === 0 ? take() : undefined
      if (result) return result
      const next = Promise.withResolvers<IteratorResult<AgentEvent, undefined>>()
      waiting.push(next)
      return await next.promise
    },
    async return() {
      await stop()
      return END
    },
    async throw(error) {
      await stop()
      throw error
    },
  }
}
