// The thread that has the database. It imports nothing of the gateway but types, which keeps it small.
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { openDatabase, type Database } from './database.ts'
import { toFailure } from './failure.ts'
import { createGroupCommit } from './group-commit.ts'
import { createOperations } from './operations.ts'
import type { FromWorker, ToWorker, WorkerOptions } from './protocol.ts'

const windowMs = 5

function serve(port: MessagePort, database: Database): void {
  const send = (message: FromWorker): void => port.postMessage(message)
  const { db, migrated } = database
  const group = createGroupCommit({
    db,
    operations: createOperations(db),
    windowMs,
    reply: (replies) => send({ kind: 'replies', replies }),
  })
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'requests') return group.add(message.requests)
    group.drain()
    database[Symbol.dispose]()
    port.close()
  })
  send({ kind: 'ready', ...migrated })
}

function start(port: MessagePort, options: WorkerOptions): void {
  try {
    serve(port, openDatabase(options))
  } catch (error) {
    port.postMessage({ kind: 'refused', failure: toFailure(error) } satisfies FromWorker)
    port.close()
  }
}

if (parentPort) start(parentPort, workerData as WorkerOptions)
