import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Passage } from './passage.ts'
import { Refusal, type Outcome } from './refusal.ts'
import { readAuthority } from './target.ts'
import { whileWanted, type Way } from './way.ts'

/** How long one that was refused may take to hear it. */
const LAST_WORDS_MS = 5_000

/** Answers CONNECT: what comes after it goes to the host as it is, and back. Never throws. */
export async function tunnel(request: IncomingMessage, client: Socket, head: Buffer, way: Way): Promise<void> {
  const passage = way.begin()
  // At once: a client that has said all by then would be at its end, and nothing goes before that any more.
  if (head.length > 0) client.unshift(head)
  // Also for one that leaves before it is answered.
  client.on('error', () => client.destroy())
  const end = (): void => void client.destroy()
  way.over.addEventListener('abort', end, { once: true })
  client.once('close', () => way.over.removeEventListener('abort', end))
  try {
    const target = readAuthority(request)
    passage.leadsTo(target)
    const free = way.takeSlot()
    try {
      const host = await way.reach(target, whileWanted(client, way.over))
      host.once('close', free)
      join({ client, host, idleTimeoutMs: way.limits.idleTimeoutMs }, passage)
    } catch (error) {
      free()
      throw error
    }
  } catch (error) {
    const refusal = error instanceof Refusal ? error : new Refusal(502, 'broken', 'The connection was given up.')
    passage.end({ outcome: refusal.outcome, reason: refusal.message })
    refuse(client, refusal)
  }
}

interface Ends {
  client: Socket
  host: Socket
  idleTimeoutMs: number
}

/** Each side's end is told to the other one, which may go on; a fault of one side ends both. */
function join({ client, host, idleTimeoutMs }: Ends, passage: Passage): void {
  let outcome: Outcome = 'passed'
  const fail = (why: Outcome): void => {
    if (outcome === 'passed') outcome = why
    client.destroy()
    host.destroy()
  }
  client.on('error', () => fail('broken'))
  host.on('error', () => fail('broken'))
  // Both directions pass here.
  host.setTimeout(idleTimeoutMs, () => fail('timed_out'))
  // One that has said all and heard all has gone, and the last of it may still be on its way.
  client.once('close', () => {
    if (!client.readableEnded) host.destroy()
  })
  host.once('close', () => {
    passage.end({ outcome, sentBytes: host.bytesWritten, receivedBytes: host.bytesRead })
    // What it has sent may not have been read yet.
    if (host.readableEnded) client.setTimeout(idleTimeoutMs, () => client.destroy())
    else client.destroy()
  })
  if (client.destroyed) return void host.destroy()
  client.write('HTTP/1.1 200 Connection established\r\n\r\n')
  client.pipe(host)
  host.pipe(client)
}

function refuse(client: Socket, { status, message }: Refusal): void {
  if (!client.writable) return void client.destroy()
  const body = Buffer.from(`${message}\n`)
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: text/plain; charset=utf-8',
    `content-length: ${body.length}`,
    'connection: close',
  ]
  client.setTimeout(LAST_WORDS_MS, () => client.destroy())
  // What it sends meanwhile is nobody's.
  client.resume()
  client.end(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]))
}
