import type { DatabaseSync } from 'node:sqlite'
import { toFailure } from './failure.ts'
import type { Operations } from './operations.ts'
import type { Reply, Request } from './protocol.ts'

export interface GroupCommitOptions {
  db: DatabaseSync
  operations: Operations
  /** Called after the commit, never before. */
  reply(replies: readonly Reply[]): void
  /** A transaction takes no further write after this time, milliseconds. */
  windowMs: number
}

export interface GroupCommit {
  add(requests: readonly Request[]): void
  /** Carries out everything that waits. */
  drain(): void
}

type Operation = (...args: readonly unknown[]) => unknown

/**
 * Writes that arrive while a commit is under way share the next transaction, so that one fsync serves them all. Each
 * has a savepoint of its own: one that fails takes nothing from the others. Reads come between the transactions.
 */
export function createGroupCommit({ db, operations, reply, windowMs }: GroupCommitOptions): GroupCommit {
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')
  const rollback = db.prepare('ROLLBACK')
  const setMark = db.prepare('SAVEPOINT operation')
  const dropMark = db.prepare('RELEASE operation')
  const backToMark = db.prepare('ROLLBACK TO operation')
  const writes = new Map(Object.entries(operations.writes) as [string, Operation][])
  const reads = new Map(Object.entries(operations.reads) as [string, Operation][])
  let waiting: Request[] = []
  let scheduled = false

  /** The error of a write that fails alone is its reply; one that costs the whole transaction is thrown. */
  function attempt(write: Operation, { id, args }: Request): Reply {
    setMark.run()
    try {
      const value = write(...args)
      dropMark.run()
      return { id, value }
    } catch (error) {
      // After a full disk or an I/O error SQLite may have given up the transaction by itself.
      if (!db.isTransaction) throw error
      backToMark.run()
      dropMark.run()
      return { id, failure: toFailure(error) }
    }
  }

  /** Carries out writes from the front of the queue in one transaction; returns how many it took. */
  function commitSome(queue: readonly { request: Request; write: Operation }[]): number {
    const replies: Reply[] = []
    const deadline = performance.now() + windowMs
    let taken = 0
    try {
      begin.run()
      for (const { request, write } of queue) {
        taken += 1
        replies.push(attempt(write, request))
        if (performance.now() > deadline) break
      }
      commit.run()
      reply(replies)
    } catch (error) {
      if (db.isTransaction) rollback.run()
      const failure = toFailure(error)
      taken = Math.max(taken, 1)
      reply(queue.slice(0, taken).map(({ request }) => ({ id: request.id, failure })))
    }
    return taken
  }

  function read(query: Operation, { id, args }: Request): Reply {
    try {
      return { id, value: query(...args) }
    } catch (error) {
      return { id, failure: toFailure(error) }
    }
  }

  function flush(): void {
    scheduled = false
    const batch = waiting
    waiting = []
    const queue = batch.flatMap((request) => {
      const write = writes.get(request.name)
      return write ? [{ request, write }] : []
    })
    for (let done = 0; done < queue.length;) done += commitSome(queue.slice(done))
    const answers = batch.flatMap((request) => {
      const query = reads.get(request.name)
      return query ? [read(query, request)] : []
    })
    if (answers.length > 0) reply(answers)
  }

  return {
    add(requests) {
      for (const request of requests) waiting.push(request)
      // After the poll phase, so that every message that has arrived is in.
      if (!scheduled) setImmediate(flush)
      scheduled = true
    },
    drain() {
      while (waiting.length > 0) flush()
    },
  }
}
