import { ExecutorError } from '@opencode-gateway/contracts'
import type { Remote } from '../remote.ts'
import { lfsFailure, readText, type LfsWay } from './failure.ts'
import type { Pointer } from './pointer.ts'

/** Where one step of a transfer goes. */
export interface Action {
  url: URL
  headers: Readonly<Record<string, string>>
}

/** What the host says of one object; no action: there is nothing to do. */
export interface Ordered {
  pointer: Pointer
  transfer?: Action
  verify?: Action
}

/** Of one request; hosts take no more. */
export const BATCH_OBJECTS = 100

const TYPE = 'application/vnd.git-lfs+json'
const MAX_ANSWER_BYTES = 4 * 1024 * 1024
const MAX_HEADERS = 50
/** What belongs to the connection, not to what is asked over it. */
const OURS = /^(?:host|connection|content-length|expect|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/i

/** The API for the files of a repository: where git-lfs looks for it, unless a setting says otherwise. */
export function lfsApiOf({ scheme, host, path, url }: Remote): string {
  const whole = path.replace(/\/+$/, '').replace(/(?<!\.git)$/, '.git')
  // Over ssh there is no API; that of the same host is asked.
  if (scheme === 'ssh') return `https://${host.includes(':') ? `[${host}]` : host}${whole}/info/lfs`
  if (scheme === 'file') {
    throw new ExecutorError('REPOSITORY_REFUSED', 'lfs needs a repository that is reached over https or ssh', {
      details: { field: 'lfs', reason: 'has no host to ask' },
    })
  }
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}${portOf(url)}${whole}/info/lfs`
}

function portOf(url: string): string {
  return /^[a-z]+:\/\/[^/]*?(?<port>:\d+)\//.exec(url)?.groups?.['port'] ?? ''
}

/** Asks where to load the objects from or to store them; at most BATCH_OBJECTS of them. */
export async function askBatch(
  way: LfsWay,
  operation: 'download' | 'upload',
  objects: readonly Pointer[],
): Promise<readonly Ordered[]> {
  const { http, api, authorization, signal } = way
  const url = new URL(`${api}/objects/batch`)
  const headers = { accept: TYPE, 'content-type': TYPE, ...(authorization === undefined ? {} : { authorization }) }
  const body = JSON.stringify({ operation, transfers: ['basic'], hash_algo: 'sha256', objects })
  const response = await http.send({ method: 'POST', url, headers, body, signal })
  const text = await readText(response, MAX_ANSWER_BYTES)
  if (response.statusCode !== 200) throw lfsFailure(way, { status: response.statusCode ?? 0, text })
  const answered = new Map(objectsOf(text, way).map((object) => [object['oid'], object]))
  return objects.map((pointer) => ordered(way, operation, pointer, answered.get(pointer.oid)))
}

function objectsOf(text: string, way: LfsWay): readonly Record<string, unknown>[] {
  const answer = recordOf(parsed(text))
  const objects = answer?.['objects']
  if (answer?.['transfer'] !== undefined && answer['transfer'] !== 'basic') {
    throw lfsFailure(way, { status: 200, text: 'it wants a way of transfer that was not offered' })
  }
  if (!Array.isArray(objects)) throw lfsFailure(way, { status: 200, text: 'its answer is not that of a batch' })
  return objects.flatMap((object: unknown) => {
    const record = recordOf(object)
    return record ? [record] : []
  })
}

function ordered(
  way: LfsWay,
  operation: string,
  pointer: Pointer,
  answer: Record<string, unknown> | undefined,
): Ordered {
  const error = recordOf(answer?.['error'])
  if (answer === undefined || error) {
    const text = error ? `${String(error['code'])} ${String(error['message'])}` : 'it says nothing of the object'
    throw lfsFailure(way, { status: Number(error?.['code']) || 200, text, oid: pointer.oid })
  }
  const actions = recordOf(answer['actions'])
  const transfer = actionOf(way, actions?.[operation], answer)
  const verify = actionOf(way, actions?.['verify'], answer)
  if (operation === 'download' && transfer === undefined) {
    throw lfsFailure(way, { status: 200, text: 'it does not say where the object is', oid: pointer.oid })
  }
  return { pointer, ...(transfer ? { transfer } : {}), ...(verify ? { verify } : {}) }
}

function actionOf(way: LfsWay, value: unknown, object: Record<string, unknown>): Action | undefined {
  const action = recordOf(value)
  if (action === undefined) return undefined
  const { api, authorization } = way
  const href = typeof action['href'] === 'string' ? action['href'] : ''
  if (!URL.canParse(href, `${api}/`)) throw lfsFailure(way, { status: 200, text: 'it names no address for an object' })
  const url = new URL(href, `${api}/`)
  const given = Object.entries(recordOf(action['header']) ?? {}).slice(0, MAX_HEADERS)
  const headers = Object.fromEntries(
    given.flatMap(([name, text]) => (typeof text === 'string' && !OURS.test(name) ? [[name.toLowerCase(), text]] : [])),
  )
  // Our credentials are for the host of the repository, and for it alone.
  const isOwn = url.origin === new URL(api).origin && object['authenticated'] !== true
  if (isOwn && authorization !== undefined && headers['authorization'] === undefined) {
    headers['authorization'] = authorization
  }
  return { url, headers }
}

function recordOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
