import type { Log, Store } from '@opencode-gateway/contracts'

export interface Retention {
  close(): Promise<void>
}

/** Rows of each kind removed in one transaction, so that writers wait only briefly. */
const batch = 1_000

/** Drops what is older than the log is kept, every `intervalMs`, in small transactions. */
export function startRetention(options: { store: Store; log: Log; keepMs: number; intervalMs: number }): Retention {
  const { store, log, keepMs, intervalMs } = options
  let running: Promise<void> | undefined
  let closed = false

  async function expireAll(): Promise<void> {
    for (;;) {
      const now = Date.now()
      const removed = await store.expire(now - keepMs, now, batch)
      if (removed.events > 0) log.debug(removed, 'old events removed')
      if (closed || (removed.events < batch && removed.keys < batch)) return
    }
  }

  const timer = setInterval(() => {
    running ??= expireAll()
      .catch((err: unknown) => log.error({ err }, 'old events could not be removed'))
      .finally(() => {
        running = undefined
      })
  }, intervalMs)

  return {
    async close() {
      closed = true
      clearInterval(timer)
      await running
    },
  }
}
