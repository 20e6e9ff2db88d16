import { GatewayError } from '@opencode-gateway/contracts'

/** What `curl -d` says when it is told nothing. */
const FORM = 'application/x-www-form-urlencoded'

/**
 * A plain-text body as the JSON it stands for. Throws when the bytes are no text of the charset they claim, and when a
 * bare `curl -d` sent a request as JSON: its options would be lost, and an agent would set out without them.
 */
export function promptBody(body: Buffer, contentType: string | undefined): { prompt: string } {
  const prompt = decode(body, charsetOf(contentType))
  if (contentType?.startsWith(FORM) === true && isRequest(prompt)) {
    throw new GatewayError(
      'UNSUPPORTED_MEDIA_TYPE',
      `The body is JSON, but is sent as "${FORM}". Send it as application/json, or as text/plain if it is the prompt itself.`,
    )
  }
  return { prompt }
}

function decode(body: Buffer, charset: string): string {
  const decoder = decoderOf(charset)
  try {
    return decoder.decode(body)
  } catch (err) {
    throw new GatewayError('INVALID_REQUEST', `The body is not text in ${charset}.`, {
      details: { field: 'body', reason: `must be ${charset}` },
      cause: err,
    })
  }
}

function isRequest(text: string): boolean {
  if (!text.trimStart().startsWith('{')) return false
  try {
    return Object.hasOwn(Object(JSON.parse(text)), 'prompt')
  } catch {
    return false
  }
}

/** The charset a content type names, or UTF-8. */
export const charsetOf = (contentType: string | undefined): string =>
  /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(contentType ?? '')?.[1] ?? 'utf-8'

function decoderOf(charset: string): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(charset, { fatal: true })
  } catch (err) {
    throw new GatewayError(
      'UNSUPPORTED_MEDIA_TYPE',
      `The charset "${charset.slice(0, 40)}" is not known. Send UTF-8.`,
      { cause: err },
    )
  }
}
