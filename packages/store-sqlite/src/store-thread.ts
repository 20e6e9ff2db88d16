import { FencedError, GatewayError } from '@opencode-gateway/contracts'
import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { toFailure, type Failure } from './failure.ts'
import type { CallName, Calls, FromWorker, Reply, Request, ToWorker, WorkerOptions } from './protocol.ts'

/** The worker as its owner sees it. */
export interface StoreThread {
  /** Schema versions before and after the start. */
  readonly migrated: { from: number; to: number }
  call<N extends CallName>(name: N, ...args: Parameters<Calls[N]>): Promise<ReturnType<Calls[N]>>
  /** Settles when what was asked is done and the thread has gone. */
  close(): Promise<void>
}

interface Pending {
  resolve(value: unknown): void
  reject(error: Error): void
}

/** Starts the worker. Rejects with STORE_UNAVAILABLE when the database cannot be used. */
export async function startStoreThread(
  options: WorkerOptions,
  onCrash: (error: Error) => void,
  entry = new URL('./worker.ts', import.meta.url),
): Promise<StoreThread> {
  const unavailable = (reason: string, cause?: unknown): GatewayError =>
    new GatewayError('STORE_UNAVAILABLE', `the database "${options.file}" cannot be used: ${reason}`, { cause })

  // A small young generation: the thread makes short-lived rows, and would else grow by tens of megabytes of garbage.
  const worker = new Worker(entry, {
    workerData: options,
    name: 'store',
    env: compileCache(),
    resourceLimits: { maxYoungGenerationSizeMb: 8 },
  })
  const post: (message: ToWorker) => void = worker.postMessage.bind(worker)
  const pending = new Map<number, Pending>()
  let requests: Request[] = []
  let nextId = 1
  let ready = false
  let over: Error | undefined
  let closing: Promise<void> | undefined
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))

  /** The first reason stays the reason. */
  function end(error: Error): void {
    over ??= error
    for (const { reject } of pending.values()) reject(over)
    pending.clear()
  }

  function crash(error: Error): void {
    if (over) return
    end(error)
    if (ready) onCrash(error)
  }

  function deliver(batch: readonly Request[]): void {
    try {
      post({ kind: 'requests', requests: batch })
    } catch (cause) {
      // Something in it cannot cross to another thread; the others of the batch can.
      if (batch.length > 1) for (const request of batch) deliver([request])
      else for (const { id } of batch) settle([{ id, failure: toFailure(cause) }])
    }
  }

  function send(): void {
    const batch = requests
    requests = []
    if (batch.length > 0) deliver(batch)
  }

  function settle(replies: readonly Reply[]): void {
    for (const reply of replies) {
      const waiter = pending.get(reply.id)
      pending.delete(reply.id)
      if ('failure' in reply) waiter?.reject(toError(reply.failure, unavailable))
      else waiter?.resolve(reply.value)
    }
  }

  const migrated = await new Promise<{ from: number; to: number }>((resolve, reject) => {
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'replies') settle(message.replies)
      else if (message.kind === 'ready') {
        ready = true
        resolve({ from: message.from, to: message.to })
      } else end(toError(message.failure, unavailable))
    })
    worker.once('error', (cause) => crash(unavailable('its thread has died; restart the gateway', cause)))
    worker.once('exit', (code) => {
      if (closing) end(unavailable('the store is closed'))
      else crash(unavailable(`its thread has ended with code ${code}`))
      reject(over)
    })
  })

  return {
    migrated,
    call(name, ...args) {
      if (over ?? closing) return Promise.reject(over ?? unavailable('the store is closed'))
      // What is asked for in the same turn of the event loop travels together.
      if (requests.length === 0) setImmediate(send)
      const id = nextId
      nextId += 1
      requests.push({ id, name, args })
      const answer = new Promise<unknown>((resolve, reject) => pending.set(id, { resolve, reject }))
      return answer as Promise<ReturnType<Calls[typeof name]>>
    },
    close() {
      closing ??= (async () => {
        send()
        post({ kind: 'close' })
        await exited
      })()
      return closing
    },
  }
}

function toError(failure: Failure, unavailable: (reason: string) => GatewayError): Error {
  switch (failure.kind) {
    case 'fenced':
      return new FencedError(failure.runId, failure.reason)
    case 'no_session':
      return new GatewayError('SESSION_NOT_FOUND', `there is no session "${failure.sessionId}"`)
    case 'broken':
      return unavailable(failure.reason)
  }
}

/** The thread has nothing of our environment but where compiled code is kept, which saves it time and memory. */
function compileCache(): Record<string, string> {
  const directory = getCompileCacheDir()
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: dirname(directory) }
}
