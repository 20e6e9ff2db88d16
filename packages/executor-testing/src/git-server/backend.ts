import { spawn } from 'node:child_process'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'

export interface BackendOptions {
  root: string
  environment: Readonly<Record<string, string>>
  /** Awaited before each piece of the body, with how much of it is sent; `gone` settles when nobody waits for it. */
  beforeBytes(sent: number, gone: Promise<void>): Promise<void>
}

/** Answers a request with what `git http-backend`, a CGI program, answers. */
export async function answerByBackend(
  request: IncomingMessage,
  response: ServerResponse,
  options: BackendOptions,
): Promise<void> {
  const { pathname, search } = new URL(request.url ?? '/', 'http://server')
  const header = (name: string): string => {
    const value = request.headers[name]
    return typeof value === 'string' ? value : ''
  }
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      ...options.environment,
      GIT_PROJECT_ROOT: options.root,
      GIT_HTTP_EXPORT_ALL: '1',
      REQUEST_METHOD: request.method ?? 'GET',
      PATH_INFO: decodeURIComponent(pathname),
      QUERY_STRING: search.slice(1),
      CONTENT_TYPE: header('content-type'),
      HTTP_CONTENT_ENCODING: header('content-encoding'),
      HTTP_GIT_PROTOCOL: header('git-protocol'),
      GIT_PROTOCOL: header('git-protocol'),
      // Without a name it takes no push.
      REMOTE_USER: 'somebody',
      REMOTE_ADDR: '127.0.0.1',
    },
  })
  const closed = new Promise((resolve) => child.once('close', resolve))
  const gone = new Promise<void>((resolve) => response.once('close', resolve))
  void gone.then(() => child.kill())
  child.once('error', () => response.destroy())
  void pipeline(request, child.stdin).catch(() => undefined)
  let head = Buffer.alloc(0)
  let sent = 0
  let isHeadDone = false
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      let body = chunk
      if (!isHeadDone) {
        head = Buffer.concat([head, chunk])
        const end = head.indexOf('\r\n\r\n')
        if (end === -1) continue
        isHeadDone = true
        writeHead(response, head.subarray(0, end).toString('latin1'))
        body = head.subarray(end + 4)
      }
      await options.beforeBytes(sent, gone)
      if (response.destroyed) break
      sent += body.length
      if (!response.write(body)) await Promise.race([new Promise((resolve) => response.once('drain', resolve)), gone])
    }
    response.end()
  } finally {
    child.kill()
    await closed
  }
}

function writeHead(response: ServerResponse, text: string): void {
  let status = 200
  for (const line of text.split('\r\n')) {
    const name = line.slice(0, line.indexOf(':'))
    const value = line.slice(line.indexOf(':') + 1).trim()
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10)
    else response.setHeader(name, value)
  }
  response.writeHead(status)
}
