// Stands in for the worker: is ready, and dies of the first request.
import { parentPort, type MessagePort } from 'node:worker_threads'

function start(port: MessagePort): void {
  port.on('message', () => {
    throw new Error('the worker dies')
  })
  port.postMessage({ kind: 'ready', from: 0, to: 0 })
}

if (parentPort) start(parentPort)
