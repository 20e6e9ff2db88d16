import type { Socket } from 'node:net'
import { errorTable, type ErrorCode } from '@opencode-gateway/contracts'
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
  const { status, retryable } = errorTable[code]
  const failure = { code, detail, retryable }
  const requestId = requestIdOf(undefined)
  const body = JSON.stringify(problemOf(failure, { instance: '', requestId, at: Date.now() }))
  const headers = {
    ...problemHeaders(failure),
    'content-length': Buffer.byteLength(body),
    'x-request-id': requestId,
    connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${errorTable[code].title}\r\n${lines.join('')}\r\n${body}`)
}
