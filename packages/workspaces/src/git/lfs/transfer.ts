import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { lfsFailure, readText, type LfsWay } from './failure.ts'
import type { Action, Ordered } from './batch.ts'
import type { Pointer } from './pointer.ts'

const MAX_REDIRECTS = 3
const MAX_TEXT_BYTES = 64 * 1024

/** Loads one object into a file, which appears when it is whole and is what its pointer says. */
export async function download(way: LfsWay, { pointer, transfer }: Ordered, file: string): Promise<void> {
  if (transfer === undefined) return
  const draft = `${file}.draft`
  const response = await followed(way, transfer, pointer)
  try {
    const target = await open(draft, 'wx', 0o644)
    try {
      await target.writeFile(checked(way, response, pointer))
    } finally {
      await target.close()
    }
    await rename(draft, file)
  } catch (error) {
    response.destroy()
    await rm(draft, { force: true })
    throw error
  }
}

/** Each address on the way is one that a repository may be at. */
async function followed(way: LfsWay, action: Action, pointer: Pointer): Promise<IncomingMessage> {
  let { url, headers } = action
  for (let count = 0; ; count += 1) {
    const response = await way.http.send({ method: 'GET', url, headers, signal: way.signal })
    const { statusCode: status = 0 } = response
    if (status === 200) return response
    const { location } = response.headers
    const text = await readText(response, MAX_TEXT_BYTES)
    const isRedirect = [301, 302, 303, 307, 308].includes(status) && location !== undefined
    if (!isRedirect || count === MAX_REDIRECTS || !URL.canParse(location, url.href)) {
      throw lfsFailure(way, { status, text, oid: pointer.oid })
    }
    const next = new URL(location, url)
    if (next.origin !== url.origin) headers = {}
    url = next
  }
}

async function* checked(way: LfsWay, response: IncomingMessage, { oid, size }: Pointer): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > size) break
    hash.update(chunk)
    yield chunk
  }
  if (bytes === size && hash.digest('hex') === oid) return
  throw lfsFailure(way, { status: 200, text: 'what it sent is not that object', oid })
}

/** Stores one object, whose file the caller has checked. */
export async function upload(way: LfsWay, { pointer, transfer, verify }: Ordered, file: string): Promise<void> {
  const { http, signal } = way
  const { oid, size } = pointer
  if (transfer !== undefined) {
    const type = transfer.headers['content-type'] ?? 'application/octet-stream'
    const headers = { ...transfer.headers, 'content-type': type, 'content-length': String(size) }
    const body = createReadStream(file)
    try {
      await expectDone(way, oid, await http.send({ method: 'PUT', url: transfer.url, headers, body, signal }))
    } finally {
      body.destroy()
    }
  }
  if (verify !== undefined) {
    const json = 'application/vnd.git-lfs+json'
    const headers = { accept: json, ...verify.headers, 'content-type': json }
    const body = JSON.stringify({ oid, size })
    await expectDone(way, oid, await http.send({ method: 'POST', url: verify.url, headers, body, signal }))
  }
}

async function expectDone(way: LfsWay, oid: string, response: IncomingMessage): Promise<void> {
  const text = await readText(response, MAX_TEXT_BYTES)
  const { statusCode: status = 0 } = response
  if (status < 200 || status >= 300) throw lfsFailure(way, { status, text, oid })
}
