import type { EventBody, Fence, RunPatch, Store } from '@opencode-gateway/contracts'
import { createMergeBuffer } from './output-merge.ts'

export interface EventWriterOptions {
  store: Store
  fence: Fence
  mergeWindowMs: number
  mergeBytes: number
  /** After every durable write: how many events, and how long the oldest of them had waited, milliseconds. */
  onAppended(events: number, lagMs: number): void
  /** Once, when a write failed: nothing more can be written. */
  onFailure(error: unknown): void
}

/** Writes the events of one run in order, one transaction at a time; text that arrives meanwhile shares the next one. */
export interface EventWriter {
  /** Takes an event. Settles at once unless too much waits; rejects after a failed write. */
  add(event: EventBody, patch?: RunPatch): Promise<void>
  /** Settles when everything taken so far and this is durable. */
  commit(events: readonly EventBody[], patch?: RunPatch): Promise<void>
}

/** Text that may wait in memory while a write is under way, as a multiple of one merged event. */
const highWaterEvents = 64

export function createEventWriter(options: EventWriterOptions): EventWriter {
  const { store, fence, mergeWindowMs, mergeBytes, onAppended, onFailure } = options
  const buffer = createMergeBuffer(mergeBytes)
  let patch: RunPatch | undefined
  let flushing: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let flushedAt = 0
  let waitingSince: number | undefined
  let failure: { error: unknown } | undefined

  async function writeAll(): Promise<void> {
    // One turn of the event loop, so that events of the same burst share the transaction.
    await new Promise((resolve) => setImmediate(resolve))
    do {
      clearTimeout(timer)
      timer = undefined
      const events = buffer.take()
      const change = patch
      const since = waitingSince ?? performance.now()
      patch = undefined
      waitingSince = undefined
      await store.append(fence, events, Date.now(), change)
      flushedAt = performance.now()
      onAppended(events.length, flushedAt - since)
    } while (buffer.urgent() || patch !== undefined)
    if (buffer.bytes() > 0) arm()
  }

  function waiting(): boolean {
    return buffer.urgent() || buffer.bytes() > 0 || patch !== undefined
  }

  function flush(): Promise<void> {
    if (failure) return Promise.reject(failure.error)
    flushing ??= writeAll()
      .catch((error: unknown) => {
        failure = { error }
        onFailure(error)
        throw error
      })
      .finally(() => {
        flushing = undefined
      })
    return flushing
  }

  function arm(): void {
    timer ??= setTimeout(() => flush().catch(ignoreReported), mergeWindowMs)
  }

  return {
    async add(event, change) {
      if (failure) throw failure.error
      waitingSince ??= performance.now()
      buffer.add(event)
      if (change !== undefined) patch = { ...patch, ...change }
      const due = buffer.urgent() || buffer.bytes() >= mergeBytes || performance.now() - flushedAt >= mergeWindowMs
      if (!due) return arm()
      const written = flush()
      if (buffer.bytes() > mergeBytes * highWaterEvents) return written
      written.catch(ignoreReported)
    },
    async commit(events, change) {
      waitingSince ??= performance.now()
      for (const event of events) buffer.add(event)
      if (change !== undefined) patch = { ...patch, ...change }
      // A flush under way may have taken its batch already; then this belongs to the next.
      while (waiting()) await flush()
      if (flushing) await flushing
    },
  }
}

/** `onFailure` and every later call report it. */
function ignoreReported(): void {}
