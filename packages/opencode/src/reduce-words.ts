import type { WordsPart } from './engine-model.ts'
import type { Emit, ReduceContext, RunView, WordsView } from './run-view.ts'

const fresh = { messageId: undefined, emitted: 0, ended: false, withdrawn: false, blind: false }

/** A text or reasoning part. Its finished form is the truth; what the consumer lacks of it is told then. */
export function reduceWords(view: RunView, part: WordsPart, context: ReduceContext, emit: Emit): void {
  const known = view.words.get(part.id)
  const words: WordsView = known ?? { type: part.type, ...fresh }
  words.messageId = part.messageId
  view.words.set(part.id, words)
  if (words.ended) return
  if (!part.ended && part.text === '') words.blind = words.emitted > 0 || context.source === 'stored'
  tell(part.id, words, part.text.slice(words.emitted), emit)
  words.ended = part.ended
}

/** A piece of an open part. A part whose beginning was missed waits for its finished form. */
export function reduceDelta(view: RunView, partId: string, text: string, emit: Emit): void {
  const words = view.words.get(partId)
  if (words && !words.ended && !words.blind) tell(partId, words, text, emit)
}

function tell(partId: string, words: WordsView, text: string, emit: Emit): void {
  if (text === '') return
  words.emitted += text.length
  emit({ type: 'output', data: { type: words.type, text, part_id: partId } })
}

/**
 * The model call is repeated: it writes its message again, under other ids of parts. Returns the parts the consumer
 * has seen; one it has not seen may belong to the new call, when the state was read ahead of this event.
 */
export function withdrawWords(view: RunView): string[] {
  const latest = [...view.messages].findLast(([, message]) => message.answer)?.[0]
  const withdrawn = [...view.words].filter(
    ([, words]) => !words.withdrawn && words.emitted > 0 && (!words.ended || words.messageId === latest),
  )
  for (const [, words] of withdrawn) {
    words.withdrawn = true
    words.ended = true
  }
  return withdrawn.map(([id]) => id)
}
