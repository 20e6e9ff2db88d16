import { secretsOf } from '../credentials.ts'
import type { Remote } from '../remote.ts'
import { lfsApiOf } from './batch.ts'
import type { LfsWay } from './failure.ts'
import { createLfsHttp, type CallTo } from './http.ts'

/** The way to the large files of a repository, with what the caller has for its host; ends when disposed. */
export async function openLfs(
  remote: Remote,
  { callTo, code, signal }: { callTo: CallTo; code: LfsWay['code']; signal: AbortSignal },
): Promise<LfsWay & Disposable> {
  const api = lfsApiOf(remote)
  const { credential } = await callTo(api)
  const { username = 'x-access-token', password } = credential ?? {}
  const basic = password === undefined ? undefined : Buffer.from(`${username}:${password}`).toString('base64')
  const http = createLfsHttp(callTo)
  return {
    http,
    api,
    authorization: basic === undefined ? undefined : `Basic ${basic}`,
    secrets: secretsOf(credential),
    code,
    signal,
    [Symbol.dispose]: http[Symbol.dispose],
  }
}
