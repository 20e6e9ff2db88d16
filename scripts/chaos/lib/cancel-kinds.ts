import type { CancelledRun } from '../checks/cancelled.ts'

/** A state in which a run can be cancelled: how to bring one there, and how to see that it is. */
export interface CancelKind {
  name: string
  hadWork: CancelledRun['hadWork']
  /** A prompt, or a command for the workspace. */
  script(marker: string): { prompt: string; interactive?: boolean } | { command: string }
  /** When it is time to cancel. */
  until: 'accepted' | 'model called' | 'sub-agent called' | 'command at work' | 'retry told' | 'asked'
  /** The engine is stopped first, so that it answers nothing. */
  engineHangs?: boolean
  /** Every slot is taken by other runs, so that this one waits. */
  slotsTaken?: boolean
}

/** Ends neither by itself nor when it is asked to, and neither does its child. */
const stubborn = `trap '' TERM INT HUP; (trap '' TERM INT HUP; while :; do sleep 0.2; done) & while :; do sleep 0.2; done`
const longTalk = 'slow: 2000 x 50'

export const cancelKinds: readonly CancelKind[] = [
  {
    name: 'queued',
    hadWork: 'none',
    script: (marker) => ({ prompt: `${marker}\nsay: never` }),
    until: 'accepted',
    slotsTaken: true,
  },
  {
    name: 'starting',
    hadWork: 'none',
    script: (marker) => ({ prompt: `${marker}\n${longTalk}` }),
    until: 'accepted',
  },
  {
    name: 'streaming',
    hadWork: 'model',
    script: (marker) => ({ prompt: `${marker}\n${longTalk}` }),
    until: 'model called',
  },
  {
    name: 'in a command that ignores SIGTERM',
    hadWork: 'command',
    script: (marker) => ({ prompt: `${marker}\nrun: ${stubborn}` }),
    until: 'command at work',
  },
  {
    name: 'waiting to call the model again',
    hadWork: 'model',
    script: (marker) => ({ prompt: `${marker}\nerror: 503 times=100 busy` }),
    until: 'retry told',
  },
  {
    name: 'in a sub-agent',
    hadWork: 'model',
    script: (marker) => ({ prompt: `${marker}\ntask: ${marker}\\n${longTalk}` }),
    until: 'sub-agent called',
  },
  {
    name: 'waiting for an answer',
    hadWork: 'model',
    script: (marker) => ({ prompt: `${marker}\nquestion: Colour | Which one? | red | blue`, interactive: true }),
    until: 'asked',
  },
  {
    name: 'in a shell run that ignores SIGTERM',
    hadWork: 'command',
    script: () => ({ command: stubborn }),
    until: 'command at work',
  },
  {
    name: 'with an engine that hangs',
    hadWork: 'model',
    script: (marker) => ({ prompt: `${marker}\n${longTalk}` }),
    until: 'model called',
    engineHangs: true,
  },
]
