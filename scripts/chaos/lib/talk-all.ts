import type { ChaosContext } from '../scenario.ts'
import { createApi } from './api.ts'
import { converse, type Talk } from './converse.ts'
import type { Conversation } from './orders.ts'
import type { Site } from './site.ts'

/** All conversations at the same time. Settles when every one is over, or has been given up after the time limit. */
export async function talkAll(
  { signal }: Pick<ChaosContext, 'signal'>,
  { url }: Pick<Site, 'url'>,
  conversations: readonly Conversation[],
  timeoutMs = 120_000,
): Promise<readonly Talk[]> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  const api = createApi(url, limited)
  return await Promise.all(conversations.map((each) => converse(each, { api, url, signal: limited })))
}
