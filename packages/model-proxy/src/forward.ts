import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import { responseHeaders } from './headers.ts'
import { sendRefusal } from './refusal.ts'
import type { Upstream } from './upstream.ts'

export interface ForwardOptions {
  dispatcher: Dispatcher
  upstream: Upstream
  path: string
  headers: Record<string, string | string[]>
  body: Buffer
  response: ServerResponse
  maxAnswerBytes: number
  /** Sees the answer on its way; must not keep the chunks. */
  tap?: AnswerTap | undefined
  /** Breaks the call off, as if the engine had left. */
  signal: AbortSignal
}

export interface AnswerTap {
  begin(status: number, headers: IncomingHttpHeaders): void
  chunk(chunk: Buffer): void
}

/** How a call ended: with a whole answer, or with what broke it off. */
export type ForwardEnd =
  | { kind: 'answered'; status: number }
  | { kind: 'refused'; why: 'unreachable' | 'late' | 'garbage' }
  /** The engine has a part of the answer, and its connection is broken. */
  | { kind: 'broken'; why: 'provider' | 'too_large' | 'late'; status: number }
  /** The engine has gone. `sent`: not before the provider had the call; `status` is 0 when it had not answered yet. */
  | { kind: 'left'; sent: boolean; status: number }

/**
 * Sends a call to its provider and the answer back, chunk by chunk as they come: the provider is read as fast as the
 * engine reads. Settles when nothing of the call is left; never rejects.
 */
export function forward(options: ForwardOptions): Promise<ForwardEnd> {
  const { dispatcher, upstream, response, maxAnswerBytes, tap } = options
  const { promise, resolve } = Promise.withResolvers<ForwardEnd>()
  let status = 0
  let bytes = 0
  let left = false
  let tooLarge = false
  let control: Dispatcher.DispatchController | undefined

  const onDrain = (): void => control?.resume()
  const onClose = (): void => {
    if (response.writableFinished) return
    left = true
    if (control) control.abort(new Error('the engine has left'))
    else end({ kind: 'left', sent: false, status })
  }
  const onAbort = (): void => void response.destroy()
  const end = (how: ForwardEnd): void => {
    options.signal.removeEventListener('abort', onAbort)
    response.off('drain', onDrain)
    response.off('close', onClose)
    resolve(how)
  }
  response.on('drain', onDrain)
  response.on('close', onClose)
  options.signal.addEventListener('abort', onAbort, { once: true })
  if (options.signal.aborted) onAbort()

  dispatcher.dispatch(
    {
      origin: upstream.origin,
      path: upstream.basePath + options.path,
      method: 'POST',
      headers: options.headers,
      body: options.body,
    },
    {
      onRequestStart(controller) {
        if (response.destroyed) controller.abort(new Error('the engine has left'))
        else control = controller
      },
      onResponseStart(_controller, code, headers) {
        if (code < 200) return
        status = code
        tap?.begin(code, headers)
        // A redirect would lead the engine past the proxy.
        if (code >= 300 && code < 400) control?.abort(new Error('the provider redirects'))
        else response.writeHead(code, responseHeaders(headers))
      },
      onResponseData(controller, chunk) {
        bytes += chunk.length
        if (bytes > maxAnswerBytes) {
          tooLarge = true
          controller.abort(new Error('the answer is too large'))
          return
        }
        tap?.chunk(chunk)
        if (!response.write(chunk)) controller.pause()
      },
      onResponseEnd() {
        response.end()
        end({ kind: 'answered', status })
      },
      onResponseError(_controller, error) {
        if (left) return end({ kind: 'left', sent: control !== undefined, status })
        if (response.headersSent) {
          response.destroy()
          return end({ kind: 'broken', why: tooLarge ? 'too_large' : isLate(error) ? 'late' : 'provider', status })
        }
        const why = isLate(error) ? 'late' : isGarbage(error) || status > 0 ? 'garbage' : 'unreachable'
        sendRefusal(response, why)
        end({ kind: 'refused', why })
      },
    },
  )
  return promise
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : ''
}

const isLate = (error: Error): boolean => /^UND_ERR_(?:HEADERS|BODY|CONNECT)_TIMEOUT$/.test(codeOf(error))
const isGarbage = (error: Error): boolean => codeOf(error).startsWith('HPE_')
