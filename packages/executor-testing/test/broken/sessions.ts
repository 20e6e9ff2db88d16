import {
  GatewayError,
  type AgentEvent,
  type AgentSession,
  type CallContext,
  type Executor,
  type RunInput,
} from '@opencode-gateway/contracts'
import { withExecutor, withItems, withOutcome, withSessions, type Broken } from './meddle.ts'

/** Every session yields the text of all of them. */
function crossTalk(fake: Executor): Executor {
  const heard: AgentEvent[] = []
  return withItems(fake, async function* changed(items) {
    const before = heard.length
    for await (const item of items) {
      if (item.type === 'outcome') {
        yield* heard.slice(before)
        yield item
      } else heard.push(item)
    }
  })
}

/** Every session works in one and the same. */
function sharedWorkspace(fake: Executor): Executor {
  return withExecutor(fake, {
    open: (spec, ctx) => fake.open({ ...spec, sessionId: 'shared' }, ctx),
  })
}

/** The final message holds all answers of the session. */
function longMemory(fake: Executor): Executor {
  return withSessions(fake, (session) => {
    let said = ''
    return {
      async *run(input: RunInput, ctx: CallContext): AsyncGenerator<AgentEvent> {
        for await (const item of session.run(input, ctx)) {
          if (item.type !== 'outcome') yield item
          else {
            said += item.outcome.finalMessage
            yield { ...item, outcome: { ...item.outcome, finalMessage: said } }
          }
        }
      },
    }
  })
}

/** What happens in the workspace of one run is gone in the next. */
function forgetful(fake: Executor): Executor {
  return withExecutor(fake, {
    async open(spec, ctx) {
      const session = await fake.open(spec, ctx)
      let runs = 0
      const run = async function* run(input: RunInput, runCtx: CallContext): AsyncGenerator<AgentEvent> {
        runs += 1
        const fresh =
          runs === 1 ? session : await fake.open({ ...spec, sessionId: `${spec.sessionId}-${runs}` }, runCtx)
        try {
          yield* fresh.run(input, runCtx)
        } finally {
          if (fresh !== session) await fresh.release('nothing')
        }
      }
      return { ...session, run }
    },
  })
}

/** A second run while the first goes on is merged into it. */
function patient(fake: Executor): Executor {
  return withSessions(fake, (session) => ({
    async *run(input: RunInput, ctx: CallContext): AsyncGenerator<AgentEvent> {
      try {
        yield* session.run(input, ctx)
      } catch (error) {
        if (!(error instanceof GatewayError) || error.code !== 'SESSION_BUSY') throw error
      }
    },
  }))
}

function releaseOthers(fake: Executor): Executor {
  const opened = new Set<AgentSession>()
  return withExecutor(fake, {
    async open(spec, ctx) {
      const session = await fake.open(spec, ctx)
      opened.add(session)
      const release: AgentSession['release'] = async (keep) => {
        for (const other of opened) await other.release(keep)
      }
      return { ...session, release }
    },
  })
}

export const brokenSessions: readonly Broken[] = [
  {
    name: 'cross-talk between sessions',
    breakIt: crossTalk,
    noticed: { 'two runs at once see nothing of each other': /right one|left one/ },
  },
  {
    name: 'one workspace for all sessions',
    breakIt: sharedWorkspace,
    noticed: {
      'sessions have workspaces and refs of their own': /1 !== 5/,
      'a file of one session is not in the other': /0 !== 1/,
    },
  },
  {
    name: 'a final message that holds earlier answers',
    breakIt: longMemory,
    noticed: { 'a second run sees its own answer only': /first answer/ },
  },
  {
    name: 'a workspace that is new for every run',
    breakIt: forgetful,
    noticed: {
      'a second run finds the files of the first': /from the first run/,
      'a command sees what a prompt wrote, and the other way round': /by the agent/,
      'commands of one session work in one directory': /kept/,
    },
  },
  {
    name: 'a second run that is not refused',
    breakIt: patient,
    noticed: { 'a second run while the first goes on is refused and does not disturb it': /did not throw/ },
  },
  {
    name: 'a release that takes other sessions with it',
    breakIt: releaseOthers,
    noticed: { 'releasing one session leaves the other at work': /RUN_CANCELLED/ },
  },
  {
    name: 'a release that leaks the session',
    breakIt: (fake) => withSessions(fake, () => ({ release: async () => {} })),
    noticed: {
      'a released session is gone, and released again without complaint': /Expected values/,
      'an answered prompt ends with exactly one outcome, the last item': /something is left behind/,
    },
  },
  {
    name: 'a release that leaks the files',
    breakIt: (fake) => withSessions(fake, (session) => ({ release: () => session.release('workspace') })),
    noticed: { 'an answered prompt ends with exactly one outcome, the last item': /something is left behind/ },
  },
  {
    name: 'a release that can be done only once',
    breakIt: (fake) =>
      withSessions(fake, (session) => {
        let released = false
        return {
          async release(keep) {
            if (released) throw new Error('released already')
            released = true
            await session.release(keep)
          },
        }
      }),
    noticed: { 'a released session is gone, and released again without complaint': /released already/ },
  },
  {
    name: 'a session that does not work',
    breakIt: (fake) =>
      withOutcome(fake, (outcome) => ({
        ...outcome,
        status: 'failed',
        error: { code: 'RUN_FAILED', message: 'no', retryable: true },
      })),
    noticed: {
      'a session that was opened and lost is opened again under its id': /RUN_FAILED/,
      'a command ends with exactly one outcome, the last item': /failed/,
    },
  },
]
