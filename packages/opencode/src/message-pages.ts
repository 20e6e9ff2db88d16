import type { EngineApi } from './engine-api.ts'
import { EngineCallError } from './engine-error.ts'
import type { StoredMessage } from './engine-model.ts'

type MessagesApi = Pick<EngineApi, 'messages'>

const PAGE = 32
const MAX_MESSAGES = 20_000

/**
 * Pages of a session's messages, newest first, each ascending.
 *
 * OpenCode 1.18.33 answers 400 for a page that reaches the beginning of the session when a prompt with a JSON schema
 * is on it, so such a page is asked for in smaller pieces; the message that is left at the end cannot be read at all,
 * and is a prompt.
 */
async function* pagesOf(
  api: MessagesApi,
  sessionId: string,
  signal: AbortSignal,
  size: number = PAGE,
): AsyncGenerator<readonly StoredMessage[], void, undefined> {
  let before: string | undefined
  let limit = size
  for (let read = 0; read < MAX_MESSAGES;) {
    const page = await pageOrRefusal(api, { sessionId, limit, ...(before === undefined ? {} : { before }) }, signal)
    if (!page) {
      if (limit === 1) return
      limit = Math.floor(limit / 2)
      continue
    }
    yield page.messages
    read += page.messages.length
    before = page.before
    if (before === undefined) return
  }
}

async function pageOrRefusal(
  api: MessagesApi,
  options: Parameters<EngineApi['messages']>[0],
  signal: AbortSignal,
): Promise<Awaited<ReturnType<EngineApi['messages']>> | undefined> {
  try {
    return await api.messages(options, signal)
  } catch (error) {
    if (error instanceof EngineCallError && error.status === 400) return undefined
    throw error
  }
}

/** Messages of a session that sort after `messageId`, ascending. */
export async function listMessagesAfter(
  api: MessagesApi,
  { sessionId, messageId }: { sessionId: string; messageId: string },
  signal: AbortSignal,
): Promise<readonly StoredMessage[]> {
  const pages: (readonly StoredMessage[])[] = []
  for await (const page of pagesOf(api, sessionId, signal)) {
    pages.unshift(page.filter(({ message }) => message.id > messageId))
    const oldest = page[0]?.message.id
    if (oldest === undefined || oldest <= messageId) break
  }
  return pages.flat()
}

/** The id of the latest message that can be read. */
export async function newestMessageId(
  api: MessagesApi,
  sessionId: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  for await (const page of pagesOf(api, sessionId, signal, 1)) return page.at(-1)?.message.id
  return undefined
}

/** The id of the prompt that `accept` knows: its own message, or an answer that names it. */
export async function findPrompt(
  api: MessagesApi,
  sessionId: string,
  accept: (messageId: string) => boolean,
  signal: AbortSignal,
): Promise<string | undefined> {
  for await (const page of pagesOf(api, sessionId, signal)) {
    for (const { message } of page.toReversed()) {
      const prompt = message.role === 'user' ? message.id : message.parentId
      if (accept(prompt)) return prompt
    }
  }
  return undefined
}
