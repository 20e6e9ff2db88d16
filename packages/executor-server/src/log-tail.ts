import type { Readable } from 'node:stream'

export interface LogTail {
  /** The last lines, secrets blacked out. */
  text(): string
}

const MAX_LINE = 500

/** Keeps the last lines a process wrote and reads on, so that the process never waits for us. */
export function keepTail(
  streams: readonly Readable[],
  options: { lines: number; secrets: readonly string[]; onLine?: (line: string) => void },
): LogTail {
  const kept: string[] = []
  const redact = (text: string): string =>
    options.secrets.filter((secret) => secret.length >= 6).reduce((out, secret) => out.replaceAll(secret, '***'), text)
  for (const stream of streams) {
    let open = ''
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (open + chunk).split('\n')
      open = (lines.pop() ?? '').slice(-MAX_LINE)
      for (const line of lines) {
        options.onLine?.(line)
        kept.push(redact(line).slice(0, MAX_LINE))
        if (kept.length > options.lines) kept.shift()
      }
    })
  }
  return { text: () => kept.join('\n') }
}
