import { createHash } from 'node:crypto'
import type { Random } from './random.ts'

/** What a client wants done. */
export interface Order {
  /** A word that is in this prompt and in no other. */
  marker: string
  kind: string
  /** A prompt for the agent, or a command for the workspace. */
  body: { prompt: string } | { command: string }
  /** The turn of the model in which the script ends; undefined when there is nothing for a model to do. */
  lastTurn: number | undefined
  /** What the answer ends with. */
  ending: string
  /** The file of the workspace in which its command leaves a line. */
  effectFile: string | undefined
}

/** The orders of one client, in one session: a first prompt, perhaps follow-ups. */
export interface Conversation {
  /** `run`: a session of its own that is over with the answer. `shell`: a session that begins with a command. */
  route: 'sessions' | 'run' | 'shell'
  orders: readonly [Order, ...Order[]]
}

const kinds = ['say', 'slow', 'write', 'command', 'long command', 'several turns'] as const
type Kind = (typeof kinds)[number]

const scripts: Readonly<Record<Kind, (effect: string) => readonly string[]>> = {
  say: () => ['think: a moment'],
  slow: () => ['slow: 30 x 40'],
  write: () => ['write: notes.txt | a line'],
  command: (effect) => [`run: ${effect}; sleep 0.3`],
  'long command': (effect) => [`run: ${effect}; for i in $(seq 15); do echo tick $i; sleep 0.1; done`],
  'several turns': (effect) => ['slow: 5 x 50', 'write: a.txt | a', `run: ${effect}`, 'slow: 5 x 50', 'read: a.txt'],
}

/** Lines after which the model waits for its next call. */
const endsTurn = /^(write|read|run):/

/** `name` is this order's alone. */
export function makeOrder(kind: Kind, name: string): Order {
  const marker = markerOf(name)
  const effectFile = `${marker}.effect`
  const lines = scripts[kind](`echo ${marker} >> ${effectFile}`)
  const ending = `end of ${marker}`
  return {
    marker,
    kind,
    body: { prompt: [`For ${marker}:`, ...lines, `say: ${ending}`].join('\n') },
    lastTurn: lines.filter((line) => endsTurn.test(line)).length,
    ending,
    effectFile: lines.some((line) => line.includes(effectFile)) ? effectFile : undefined,
  }
}

const tickMs = 250

/** Talks slowly for about so long. */
export function makeSlowOrder(name: string, durationMs: number): Order {
  const order = makeOrder('say', name)
  const lines = [`For ${order.marker}:`, `slow: ${Math.ceil(durationMs / tickMs)} x ${tickMs}`, `say: ${order.ending}`]
  return { ...order, kind: 'slow', body: { prompt: lines.join('\n') } }
}

/** A command that goes on for a second and a half. */
export function makeShellOrder(name: string): Order {
  const marker = markerOf(name)
  const effectFile = `${marker}.effect`
  const ending = `end of ${marker}`
  const command = `echo ${marker} >> ${effectFile}; for i in $(seq 15); do echo tick $i; sleep 0.1; done; echo ${ending}`
  return { marker, kind: 'shell', body: { command }, lastTurn: undefined, ending, effectFile }
}

const share = { run: 0.15, shell: 0.15, followUp: 0.3 }

/** Conversations with about `runs` runs altogether. */
export function makeConversations(random: Random, round: string, runs: number): readonly Conversation[] {
  const conversations: Conversation[] = []
  for (let made = 0; made < runs;) {
    const name = (): string => `${round}/${(made += 1)}`
    const next = (): Order => (random.chance(share.shell) ? makeShellOrder(name()) : makePrompt())
    const makePrompt = (): Order => makeOrder(random.pick(kinds), name())
    if (random.chance(share.run)) {
      conversations.push({ route: 'run', orders: [makePrompt()] })
      continue
    }
    const first = next()
    const followUps = random.chance(share.followUp) ? [next()] : []
    conversations.push({ route: 'command' in first.body ? 'shell' : 'sessions', orders: [first, ...followUps] })
  }
  return conversations
}

/** No marker is a part of another one. */
function markerOf(name: string): string {
  return `m${createHash('sha256').update(name).digest('hex').slice(0, 16)}`
}
