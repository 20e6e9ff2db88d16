import { GatewayError } from '@opencode-gateway/contracts'

/** A plain-text body as the JSON it stands for. Throws when the bytes are no text of the charset they claim. */
export function promptBody(body: Buffer, contentType: string | undefined): { prompt: string } {
  const charset = charsetOf(contentType)
  const decoder = decoderOf(charset)
  try {
    return { prompt: decoder.decode(body) }
  } catch (err) {
    throw new GatewayError('INVALID_REQUEST', `The body is not text in ${charset}.`, {
      details: { field: 'body', reason: `must be ${charset}` },
      cause: err,
    })
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
