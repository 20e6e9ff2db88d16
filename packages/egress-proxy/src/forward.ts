import { request as send, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { answerHeaders, requestHeaders } from './headers.ts'
import { malformed, Refusal } from './refusal.ts'
import { readUrl, type Target } from './target.ts'
import { whileWanted, type Way } from './way.ts'

/** Passes a request for an http URL on, over a connection of its own. Never throws. */
export async function forward(request: IncomingMessage, response: ServerResponse, way: Way): Promise<void> {
  const passage = way.begin()
  let host: Socket | undefined
  const counted = () => ({ sentBytes: host?.bytesWritten ?? 0, receivedBytes: host?.bytesRead ?? 0 })
  try {
    const target = readUrl(request)
    passage.leadsTo(target)
    const free = way.takeSlot()
    const wanted = whileWanted(response, way.over)
    try {
      const sending = requestHeaders(request, target)
      const socket = await way.reach(target, wanted)
      host = socket
      wanted.addEventListener('abort', () => socket.destroy(), { once: true })
      wanted.throwIfAborted()
      await exchange({ request, response, target, host: socket, sending, idleTimeoutMs: way.limits.idleTimeoutMs })
      passage.end({ outcome: 'passed', ...counted() })
    } finally {
      host?.destroy()
      free()
    }
  } catch (error) {
    const refusal = error instanceof Refusal ? error : new Refusal(502, 'broken', 'The host broke off the connection.')
    passage.end({ outcome: refusal.outcome, reason: refusal.message, ...counted() })
    refuse(response, refusal)
  }
  // What is left of a body that nobody wants does not have to be read first.
  if (!request.complete) response.once('close', () => request.socket.destroy())
}

interface Exchange {
  request: IncomingMessage
  response: ServerResponse
  target: Target & { path: string }
  host: Socket
  sending: { headers: string[]; body: boolean }
  idleTimeoutMs: number
}

async function exchange({ request, response, target, host, sending, idleTimeoutMs }: Exchange): Promise<void> {
  const late = new Refusal(504, 'timed_out', `The host "${target.host}" says nothing.`)
  host.setTimeout(idleTimeoutMs, () => host.destroy(late))
  const answered = Promise.withResolvers<IncomingMessage>()
  const outgoing = ask(request.method, target.path, sending.headers, host)
  outgoing.once('response', answered.resolve)
  outgoing.once('error', answered.reject)
  outgoing.once('upgrade', () => answered.reject(new Error('the host speaks another protocol now')))
  outgoing.once('close', () => answered.reject(new Error('the host did not answer')))
  const sent = sending.body ? pipeline(request, outgoing) : void outgoing.end()
  // An answer may come before all is sent, and then nothing more is.
  Promise.resolve(sent).catch(answered.reject)
  const answer = await answered.promise
  // 101 without a word of what it changes to: nothing that node reads comes after it.
  if ((answer.statusCode ?? 0) < 200) throw new Error('the host gave no final answer')
  // Its own words for the status may hold anything.
  response.writeHead(answer.statusCode ?? 502, answerHeaders(answer))
  await pipeline(answer, response)
}

function ask(method = 'GET', path: string, headers: string[], host: Socket) {
  try {
    return send({ method, path, headers, createConnection: () => host, setHost: false })
  } catch {
    throw malformed('the address has characters that do not belong there')
  }
}

function refuse(response: ServerResponse, { status, message }: Refusal): void {
  if (response.headersSent || response.destroyed) return void response.destroy()
  const body = `${message}\n`
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  })
  response.end(body)
}
