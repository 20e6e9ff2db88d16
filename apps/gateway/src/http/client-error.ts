import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { errorTable, type ErrorCode } from '@opencode-gateway/contracts'
import type { Failure } from './failure.ts'
import { problemHeaders, problemOf } from './problem.ts'
import { requestIdOf } from './request-id.ts'

const CODES: Readonly<Record<string, { code: ErrorCode; detail: string }>> = {
  HPE_HEADER_OVERFLOW: { code: 'HEADERS_TOO_LARGE', detail: 'The request line and headers are larger than 16 KiB.' },
  ERR_HTTP_REQUEST_TIMEOUT: { code: 'REQUEST_TIMEOUT', detail: 'The request did not arrive in time.' },
}

/** Answers to what is no HTTP request, before there is a request to answer to. */
export function answerClientError(err: NodeJS.ErrnoException, socket: Socket): void {
  if (err.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const { code, detail } = CODES[err.code ?? ''] ?? {
    code: 'INVALID_REQUEST',
    detail: 'The bytes are not an HTTP request.',
  }
  writeAnswer(socket, { code, detail, retryable: errorTable[code].retryable })
}

/** Answers on a connection that has nothing else to answer with, and ends it. */
export function writeAnswer(socket: Duplex, failure: Failure): void {
  const { status, title, headers, body } = lastAnswer(failure)
  // Whoever has left already cannot be told.
  socket.on('error', () => socket.destroy())
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${title}\r\n${lines.join('')}\r\n${body}`)
}

export interface LastAnswer {
  status: number
  title: string
  headers: Record<string, string | number>
  body: string
}

/** A problem for whoever never gets to a route; the connection ends with it. */
export function lastAnswer(failure: Failure): LastAnswer {
  const { status, title } = errorTable[failure.code]
  const requestId = requestIdOf(undefined)
  const body = JSON.stringify(problemOf(failure, { instance: '', requestId, at: Date.now() }))
  const headers = {
    ...problemHeaders(failure),
    'content-length': Buffer.byteLength(body),
    'x-request-id': requestId,
    connection: 'close',
  }
  return { status, title, headers, body }
}
