import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Agent, request } from 'undici'
import type { Engine } from './engine.ts'

export interface DirectRun {
  sessionId: string
  directory: string
  text: string
}

/** Drives an engine without the gateway, the shortest way there is. */
export interface DirectDriver {
  /** A new session and one prompt to its end, by the engine's call that answers when the prompt is done. */
  run(prompt: string, directory: string): Promise<DirectRun>
  /** Has the engine open the directory as far as a prompt needs it, its models included, without one. */
  open(directory: string): Promise<void>
  /** Removes what a run left in the engine; not a part of what is measured. */
  cleanUp(run: DirectRun): Promise<void>
  close(): Promise<void>
}

/**
 * Plain HTTP instead of the SDK, whose own work would make the way through the gateway look better; and the blocking
 * call, which needs neither the event stream nor a look at the state. A client could not use it beyond five minutes.
 */
export function createDirectDriver({ url, username, password }: Engine): DirectDriver {
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 })
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`

  async function call(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    directory: string,
    body?: object,
  ): Promise<unknown> {
    const answer = await request(`${url}${path}`, {
      dispatcher,
      method,
      query: { directory },
      headers: { authorization, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (answer.statusCode !== 200)
      throw new Error(`${method} ${path}: ${answer.statusCode} ${await answer.body.text()}`)
    return answer.body.json()
  }

  return {
    async run(prompt, directory) {
      const { id } = (await call('POST', '/session', directory, { title: 'bench' })) as { id: string }
      const parts = [{ type: 'text', text: prompt }]
      const answer = (await call('POST', `/session/${id}/message`, directory, { parts })) as Answer
      const text = answer.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('')
      return { sessionId: id, directory, text }
    },
    async open(directory) {
      await call('GET', '/config/providers', directory)
    },
    async cleanUp({ sessionId, directory }) {
      await call('DELETE', `/session/${sessionId}`, directory)
      await call('POST', '/instance/dispose', directory)
    },
    close: () => dispatcher.close(),
  }
}

interface Answer {
  parts: { type: string; text?: string }[]
}

/** A new directory for every run, as the gateway gives every session one. */
export function directories(root: string): () => Promise<string> {
  let count = 0
  return async () => {
    count += 1
    const directory = join(root, `direct-${count}`)
    await mkdir(directory, { recursive: true })
    return directory
  }
}
