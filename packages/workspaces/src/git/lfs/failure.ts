import type { IncomingMessage } from 'node:http'
import { ExecutorError, type ErrorCode } from '@opencode-gateway/contracts'
import { scrub } from '../failure.ts'
import type { LfsHttp } from './http.ts'

/** How the files of one repository are asked for. */
export interface LfsWay {
  http: LfsHttp
  /** Without a slash at its end. */
  api: string
  /** For the host of the repository. */
  authorization: string | undefined
  /** What must not appear in what is said of a failure. */
  secrets: readonly string[]
  /** What a failure without a code of its own is. */
  code: 'CLONE_FAILED' | 'PUSH_REJECTED'
  signal: AbortSignal
}

const MAX_DETAIL = 200

export function lfsFailure(
  { api, code, secrets }: Pick<LfsWay, 'api' | 'code' | 'secrets'>,
  answer: { status: number; text: string; oid?: string },
): ExecutorError {
  const { status, oid } = answer
  const what = oid === undefined ? 'the files of Git LFS' : `the object ${oid} of Git LFS`
  const did = code === 'CLONE_FAILED' ? 'loaded from' : 'stored at'
  const words = scrub(answer.text, secrets)
  const detail = words.replace(/[\0-\x20\x7f]+/g, ' ').slice(0, MAX_DETAIL)
  const [named, meaning] = reading(status, code)
  const text = `${what} could not be ${did} "${api}": ${meaning} (${status}${detail === '' ? '' : `, ${detail}`})`
  return new ExecutorError(named, text, { retryable: status === 429 || status >= 500 })
}

function reading(status: number, code: LfsWay['code']): readonly [ErrorCode, string] {
  if (status === 401 || status === 403) {
    return ['REPOSITORY_AUTH', 'the host refused the credentials, or there are none for https to it']
  }
  if (status === 404 || status === 410) return [code, 'the host does not have them there']
  if (status >= 300 && status < 400) return [code, 'the host answers with a redirect, which is not followed']
  if (status === 507 || status === 413) return [code, 'the host takes no more']
  return [code, 'the host did not answer as it should']
}

/** The whole answer; what is longer is cut off. */
export async function readText(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes) break
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
