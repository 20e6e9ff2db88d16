const MAX_CHARS = 64 * 1024
const TRAILER = /^[A-Za-z0-9-]+: \S/

/** The message with the id of the run as its trailer. */
export function commitMessage(message: string, runId: string): string {
  const clean = message
    .slice(0, MAX_CHARS)
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(/(?![\n\t])\p{Cc}/gu, '')
    .trim()
  const text = clean === '' ? 'Changes of a run' : clean
  const paragraphs = text.split(/\n{2,}/)
  const last = paragraphs.at(-1)?.split('\n') ?? []
  const hasTrailers = paragraphs.length > 1 && last.every((line) => TRAILER.test(line))
  return `${text}\n${hasTrailers ? '' : '\n'}Run-Id: ${runId.replaceAll(/\s+/g, ' ')}\n`
}
