import { failed, type ApiTarget } from './request.ts'

export interface ApiAnswer {
  status: number
  /** Parsed; undefined when it is not JSON. */
  body: unknown
}

const TIMEOUT_MS = 30_000
const MAX_BYTES = 4 * 1024 * 1024

/** One call to a git host's API. Redirects are not followed: they would take the token along. */
export async function callApi(
  target: ApiTarget,
  call: { method: 'GET' | 'POST'; path: string; body?: object; headers?: Readonly<Record<string, string>> },
): Promise<ApiAnswer> {
  try {
    const response = await fetch(`${target.baseUrl}${call.path}`, {
      method: call.method,
      redirect: 'manual',
      signal: AbortSignal.any([target.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      headers: {
        authorization: `Bearer ${target.token}`,
        'user-agent': 'opencode-gateway',
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...call.headers,
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    })
    return { status: response.status, body: parse(await textOf(response)) }
  } catch (error) {
    target.signal.throwIfAborted()
    throw failed(`the API of the host could not be reached (${reasonOf(error)})`, true)
  }
}

/** The error that an answer stands for, with the host's own words, which never hold the token. */
export function answerFailed({ status, body }: ApiAnswer, token: string): Error {
  const words = wordsOf(body).replaceAll(token, '***').slice(0, 500)
  const isPassing = status >= 500 || status === 429
  return failed(`the API of the host answered ${status}${words === '' ? '' : `: ${words}`}`, isPassing)
}

/** The address in an answer, which is shown to people. */
export function addressIn(body: unknown, field: string): string | undefined {
  if (typeof body !== 'object' || body === null || !(field in body)) return undefined
  const value: unknown = Reflect.get(body, field)
  if (typeof value !== 'string' || value.length > 2048 || !URL.canParse(value)) return undefined
  return /^https?:$/.test(new URL(value).protocol) ? value : undefined
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > MAX_BYTES) throw new Error('the answer is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** GitHub: `message` and `errors[].message`; GitLab: `message` (a text or texts) or `error`. */
function wordsOf(body: unknown): string {
  if (typeof body === 'string') return body
  if (Array.isArray(body)) return body.map(wordsOf).filter(Boolean).join('; ')
  if (typeof body !== 'object' || body === null) return ''
  return ['message', 'errors', 'error']
    .map((field) => wordsOf(Reflect.get(body, field)))
    .filter(Boolean)
    .join('; ')
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error ? cause.message : String(cause)
}
