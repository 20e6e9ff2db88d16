import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer as readBuffer, text as readText } from 'node:stream/consumers'

/** What a host of Git LFS answers of one object; everything is optional, as it is between machines. */
export interface LfsAnswer {
  oid: string
  size: number
  authenticated?: boolean
  actions?: Record<string, { href: string; header?: Record<string, string> }>
  error?: { code: number; message: string }
}

/** Large files by repository: batch API, transfer `basic`, verification. */
export interface LfsStore {
  /** Keeps content for a repository; its pointer, to be committed. */
  add(name: string, content: string | Buffer): string
  /** By oid. */
  objectsOf(name: string): ReadonlyMap<string, Buffer>
  /** Changes what is answered of an object; undefined: as it is. */
  tamper(change: ((answer: LfsAnswer, operation: string) => LfsAnswer) | undefined): void
  /** Answers what is for it; false: it is not. */
  answer(request: IncomingMessage, response: ServerResponse): Promise<boolean>
}

const TYPE = 'application/vnd.git-lfs+json'

export function createLfsStore(): LfsStore {
  const stores = new Map<string, Map<string, Buffer>>()
  let tampered: ((answer: LfsAnswer, operation: string) => LfsAnswer) | undefined
  const storeOf = (name: string): Map<string, Buffer> => {
    const store = stores.get(name) ?? new Map<string, Buffer>()
    stores.set(name, store)
    return store
  }

  async function batch(base: string, store: Map<string, Buffer>, request: IncomingMessage): Promise<object> {
    const asked = JSON.parse(await readText(request)) as { operation: string; objects: LfsAnswer[] }
    const objects = asked.objects.map(({ oid, size }): LfsAnswer => {
      const action = { href: `${base}/objects/${oid}` }
      const isHere = store.has(oid)
      if (asked.operation === 'download') {
        if (!isHere) return { oid, size, error: { code: 404, message: 'Object does not exist' } }
        return { oid, size, actions: { download: action } }
      }
      if (isHere) return { oid, size }
      return { oid, size, actions: { upload: action, verify: { href: `${base}/verify` } } }
    })
    return { transfer: 'basic', objects: objects.map((answer) => tampered?.(answer, asked.operation) ?? answer) }
  }

  return {
    add(name, content) {
      const bytes = Buffer.from(content)
      const oid = sha256(bytes)
      storeOf(name).set(oid, bytes)
      return `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${bytes.length}\n`
    },
    objectsOf: storeOf,
    tamper: (change) => void (tampered = change),
    async answer(request, response) {
      const base = `http://${request.headers.host ?? ''}`
      const { pathname } = new URL(request.url ?? '/', base)
      const [, prefix = '', name = '', rest = ''] = /^(\/(.+)\.git\/info\/lfs)\/(.*)$/.exec(pathname) ?? []
      if (prefix === '') return false
      const store = storeOf(name)
      const oid = /^objects\/(?<oid>[0-9a-f]{64})$/.exec(rest)?.groups?.['oid']
      const json = (status: number, body: object): void =>
        void response.writeHead(status, { 'content-type': TYPE }).end(JSON.stringify(body))
      if (rest === 'objects/batch' && request.method === 'POST') {
        json(200, await batch(`${base}${prefix}`, store, request))
      } else if (oid !== undefined && request.method === 'PUT') {
        const bytes = await readBuffer(request)
        if (sha256(bytes) === oid) store.set(oid, bytes)
        json(sha256(bytes) === oid ? 200 : 422, {})
      } else if (oid !== undefined && request.method === 'GET' && store.has(oid)) {
        response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(store.get(oid))
      } else if (rest === 'verify' && request.method === 'POST') {
        const { oid = '', size } = JSON.parse(await readText(request)) as Partial<LfsAnswer>
        json(store.get(oid)?.length === size ? 200 : 404, {})
      } else {
        json(404, { message: 'Not found' })
      }
      return true
    },
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
