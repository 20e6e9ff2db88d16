import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import {
  Detached,
  type AgentEventBody,
  type AgentSession,
  type PromptInput,
  type RunInput,
} from '@opencode-gateway/contracts'
import { record, type Recording } from './recording.ts'
import type { Scene } from './scene.ts'

/** A run that can be let go of. */
export interface Watched {
  readonly session: AgentSession
  readonly input: RunInput
  readonly recording: Recording
  leave(): void
}

/** A run that was let go of, and its session as a new gateway finds it. */
export interface Lost {
  readonly input: RunInput
  /** What was told before. */
  readonly before: readonly AgentEventBody[]
  readonly found: AgentSession
}

export type WatchedPrompt = Omit<PromptInput, 'kind' | 'runId' | 'prompt'> & { readonly steps: readonly string[] }

export function startWatched(
  scene: Scene,
  session: AgentSession,
  started: WatchedPrompt | { readonly command: string },
): Watched {
  const runId = randomUUID()
  const input = inputOf(runId, started)
  return watch(scene, session, input, (signal) => session.run(input, scene.ctx(signal)))
}

function inputOf(runId: string, started: WatchedPrompt | { readonly command: string }): RunInput {
  if ('command' in started) return { kind: 'shell', runId, command: started.command }
  const { steps, ...options } = started
  return { ...options, kind: 'prompt', runId, prompt: steps.join('\n') }
}

function watch(
  scene: Scene,
  session: AgentSession,
  input: RunInput,
  start: (signal: AbortSignal) => ReturnType<AgentSession['run']>,
): Watched {
  const leaving = new AbortController()
  const recording = record(() => start(leaving.signal), scene.deadline)
  return { session, input, recording, leave: () => leaving.abort(new Detached()) }
}

/** Lets go of the run and finds its session again. */
export async function findAgain(
  scene: Scene,
  { session, input, recording, leave }: Watched,
  earlier: readonly AgentEventBody[] = [],
): Promise<Lost> {
  leave()
  await recording.ended()
  assert.ok(!recording.items.some((item) => item.type === 'outcome'), 'a run that is let go of has no outcome')
  const found = await scene.settles('attach', scene.executor.attach(session.ref, scene.ctx()))
  assert.ok(found, 'the session is not found again')
  return { input, before: [...earlier, ...recording.events()], found: scene.adopt(found) }
}

/** Watches the run again, to its end or until it is let go of once more. */
export function resumeWatched(scene: Scene, { input, before, found }: Lost): Watched {
  return watch(scene, found, input, (signal) => found.resume({ input, events: before }, scene.ctx(signal)))
}

export function resume(scene: Scene, lost: Lost): Recording {
  return resumeWatched(scene, lost).recording
}
