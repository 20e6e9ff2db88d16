import type { Conversation } from './conversation.ts'
import { writeNotice } from './notice.ts'
import { writeSummary } from './place.ts'
import type { Place } from './place.ts'
import { parseScript } from './script.ts'
import type { Step, Turn } from './step.ts'

export interface DecideOptions {
  /** Where the session stands; a summary carries it over a compaction. */
  readonly place: Place | undefined
  readonly setupHint: string
}

const MAX_TITLE = 50

/** The steps to play for this model call. */
export function decideTurn({ kind, prompt, turn }: Conversation, { place, setupHint }: DecideOptions): Turn {
  if (kind === 'title') return [say(prompt.split('\n', 1)[0]?.slice(0, MAX_TITLE) || 'Scripted session')]
  if (kind === 'summary') return [say(writeSummary(place))]
  if (kind === 'continue') return [say('There are no next steps.')]
  const turns = parseScript(prompt) ?? [[say(writeNotice(prompt, setupHint))]]
  const looping = turns.findIndex((steps) => steps.at(-1)?.kind === 'loop')
  return turns[looping >= 0 ? Math.min(turn, looping) : turn] ?? []
}

function say(text: string): Step {
  return { kind: 'say', text }
}
