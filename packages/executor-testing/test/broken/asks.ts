import {
  GatewayError,
  type AgentEvent,
  type AgentSession,
  type AskAnswer,
  type CallContext,
  type Executor,
  type PromptInput,
  type RunInput,
} from '@opencode-gateway/contracts'
import { withEachItem, withExecutor, withInput, withSessions, type Broken } from './meddle.ts'

/** The executor with other prompts. */
function withPrompt(executor: Executor, change: (input: PromptInput) => PromptInput): Executor {
  return withInput(executor, (input) => (input.kind === 'prompt' ? change(input) : input))
}

/** The executor with other answers than those it is given. */
function withAnswer(executor: Executor, change: (answer: AskAnswer) => AskAnswer): Executor {
  return withSessions(executor, (session) => ({
    answer: (askId, given, ctx) => session.answer(askId, change(given), ctx),
  }))
}

function withoutRules(input: PromptInput): PromptInput {
  const { permissions: _, ...rest } = input
  return rest
}

/** What one session allows for good, all of them do. */
function trustful(fake: Executor): Executor {
  const trusted = new Set<string>()
  return withSessions(fake, (session) => {
    const patterns = new Map<string, string>()
    return {
      async *run(input: RunInput, ctx: CallContext): AsyncGenerator<AgentEvent> {
        for await (const item of session.run(input, ctx)) {
          yield item
          if (item.type !== 'ask') continue
          const key = JSON.stringify(item.data.patterns)
          patterns.set(item.data.ask_id, key)
          if (trusted.has(key)) await session.answer(item.data.ask_id, { reply: 'once' }, ctx)
        }
      },
      async answer(askId, given, ctx) {
        await session.answer(askId, given, ctx)
        if ('reply' in given && given.reply === 'always') trusted.add(patterns.get(askId) ?? '')
      },
    }
  })
}

/** Looks for the ask in all sessions. */
function confused(fake: Executor): Executor {
  const sessions: AgentSession[] = []
  return withExecutor(fake, {
    async open(spec, ctx) {
      const session = await fake.open(spec, ctx)
      sessions.push(session)
      const answer: AgentSession['answer'] = async (askId, given, answerCtx) => {
        const answering = sessions.map((candidate) => candidate.answer(askId, given, answerCtx))
        await Promise.any(answering)
      }
      return { ...session, answer }
    },
  })
}

/** Takes any answer, and passes on the one it would like. */
function obliging(fake: Executor): Executor {
  return withSessions(fake, (session) => ({
    async answer(askId, given, ctx) {
      try {
        await session.answer(askId, given, ctx)
      } catch (error) {
        if (!(error instanceof GatewayError) || error.code !== 'INVALID_REQUEST') throw error
        await session.answer(askId, 'reply' in given ? { answers: [['yes']] } : { reply: 'once' }, ctx)
      }
    },
  }))
}

/** The executor whose resumed runs do not tell some events. */
function forgetfulOf(type: AgentEvent['type']): Broken['breakIt'] {
  return (fake) =>
    withSessions(fake, (session) => ({
      async *resume(progress, ctx) {
        for await (const item of session.resume(progress, ctx)) if (item.type !== type) yield item
      },
    }))
}

export const brokenAsks: readonly Broken[] = [
  {
    name: 'rules that are dropped on the way',
    breakIt: (fake) => withPrompt(fake, withoutRules),
    noticed: {
      'a permission is asked for with all one needs to know, and once granted the tool goes on': /without ask number 1/,
      'a refusal fails the tool and stops the agent, which is no completed run': /without ask number 1/,
      'a run is cancelled while an ask waits, which is gone then': /without ask number 1/,
      'what a rule asks about is refused when nobody is there to be asked': /it was done/,
      'what a rule forbids is refused, and what it does not is done': /Expected values/,
    },
  },
  {
    name: 'rules that stay for the next run',
    breakIt: (fake) =>
      withSessions(fake, (session) => {
        let kept: Pick<PromptInput, 'permissions'> = {}
        return {
          run(input, ctx) {
            if (input.kind === 'prompt' && input.permissions) kept = { permissions: input.permissions }
            return session.run(input.kind === 'prompt' ? { ...input, ...kept } : input, ctx)
          },
        }
      }),
    noticed: { 'the rules of one run are not those of the next': /Expected values/ },
  },
  {
    name: 'rules that sub-agents do not know',
    breakIt: (fake) => withPrompt(fake, (input) => (input.prompt.startsWith('task:') ? withoutRules(input) : input)),
    noticed: {
      'what a rule asks about is not done unasked by a sub-agent': /true !== false/,
      'what a rule forbids is not done by a sub-agent either': /true !== false/,
    },
  },
  {
    name: 'rules of which the first counts',
    breakIt: (fake) =>
      withPrompt(fake, (input) => {
        const rules = input.permissions
        if (typeof rules !== 'object' || typeof rules['bash'] !== 'object') return input
        return { ...input, permissions: { bash: Object.fromEntries(Object.entries(rules['bash']).toReversed()) } }
      }),
    noticed: { 'of the rules that match an action the last one counts': /echo free/ },
  },
  {
    name: 'asks although nobody is there',
    breakIt: (fake) => withPrompt(fake, (input) => ({ ...input, interactive: true })),
    noticed: {
      'a question that nobody is there to answer is not asked, and holds nothing up': /asks of the run/,
      'what a rule asks about is refused when nobody is there to be asked': /asks of the run/,
    },
  },
  {
    name: 'no asks although somebody is there',
    breakIt: (fake) => withPrompt(fake, (input) => ({ ...input, interactive: false })),
    noticed: {
      'a question is asked with its choices, and the answer reaches the agent': /without ask number 1/,
      'a dismissed question stops the agent, which is no completed run': /without ask number 1/,
      'an ask that came while nobody watched is told': /without ask number 1/,
    },
  },
  {
    name: 'asks that do not say what for',
    breakIt: (fake) =>
      withEachItem(fake, (item) =>
        item.type === 'ask' ? [{ ...item, data: { ...item.data, patterns: [] } }] : [item],
      ),
    noticed: {
      'a permission is asked for with all one needs to know, and once granted the tool goes on': /echo granted/,
    },
  },
  {
    name: 'answers that are not told',
    breakIt: (fake) => withEachItem(fake, (item) => (item.type === 'ask_resolved' ? [] : [item])),
    noticed: {
      'a permission is asked for with all one needs to know, and once granted the tool goes on': /told once/,
      'a question is asked with its choices, and the answer reaches the agent': /told once/,
      'a refusal of one ask leaves no other waiting': /told once/,
    },
  },
  {
    name: 'answers that are told twice',
    breakIt: (fake) => withEachItem(fake, (item) => (item.type === 'ask_resolved' ? [item, item] : [item])),
    noticed: {
      'of several answers to one ask the first counts, and the others are told so': /told once/,
    },
  },
  {
    name: 'an answer of another kind that is taken',
    breakIt: obliging,
    noticed: {
      'while an ask waits nothing goes on, and an answer of another kind changes nothing': /was taken/,
      'a question is asked with its choices, and the answer reaches the agent': /was taken/,
    },
  },
  {
    name: 'an answer that is taken whether or not anything waits for it',
    breakIt: (fake) =>
      withSessions(fake, (session) => ({ answer: (...given) => session.answer(...given).catch(() => {}) })),
    noticed: {
      'of several answers to one ask the first counts, and the others are told so': /answers that were taken/,
      'what was never asked cannot be answered': /was taken/,
      'an ask is not answered through another session': /was taken/,
      'a run is cancelled while an ask waits, which is gone then': /was taken/,
    },
  },
  {
    name: 'an answer that any session takes',
    breakIt: confused,
    noticed: { 'an ask is not answered through another session': /was taken/ },
  },
  {
    name: 'once that is always',
    breakIt: (fake) =>
      withAnswer(fake, (given) => ('reply' in given && given.reply === 'once' ? { reply: 'always' } : given)),
    noticed: { 'what was granted once is asked for the next time': /without ask number 2/ },
  },
  {
    name: 'always that is once',
    breakIt: (fake) =>
      withAnswer(fake, (given) => ('reply' in given && given.reply === 'always' ? { reply: 'once' } : given)),
    noticed: { 'what was granted always is not asked for again in the session': /asks of the run/ },
  },
  {
    name: 'always that goes for all sessions',
    breakIt: trustful,
    noticed: {
      'what was granted always in one session is asked for in another': /ASK_NOT_FOUND|does not wait|waits for no/,
    },
  },
  {
    name: 'a refusal that lets the tool go on',
    breakIt: (fake) =>
      withAnswer(fake, (given) =>
        'reject' in given ? { answers: [['yes']] } : 'reply' in given ? { reply: 'once' } : given,
      ),
    noticed: {
      'a refusal fails the tool and stops the agent, which is no completed run': /completed/,
      'a dismissed question stops the agent, which is no completed run': /completed/,
    },
  },
  {
    name: 'a refusal without its reason',
    breakIt: (fake) => withAnswer(fake, (given) => ('reply' in given ? { reply: given.reply } : given)),
    noticed: { 'a refusal with a reason reaches the model, which goes on': /AGENT_STOPPED/ },
  },
  {
    name: 'tools that wait for each other',
    breakIt: (fake) => withPrompt(fake, (input) => ({ ...input, prompt: input.prompt.replaceAll('\n+ ', '\n') })),
    noticed: {
      'two asks wait at once and are answered in any order': /waited for ask number 2/,
      'a refusal of one ask leaves no other waiting': /waited for ask number 2/,
    },
    hangs: true,
  },
  {
    name: 'a resumption that asks again',
    breakIt: (fake) =>
      withSessions(fake, (session) => ({
        resume: ({ input, events }, ctx) =>
          session.resume({ input, events: events.filter(({ type }) => type !== 'ask') }, ctx),
      })),
    noticed: {
      'an ask that waited while nobody watched is not told again, and is answered': /asks of the run/,
      'an ask that was answered while nobody watched is told as answered': /asks of the run/,
    },
  },
  {
    name: 'a resumption that keeps quiet about asks',
    breakIt: forgetfulOf('ask'),
    noticed: { 'an ask that came while nobody watched is told': /waited for ask number 1/ },
    hangs: true,
  },
  {
    name: 'a resumption that keeps quiet about answers',
    breakIt: forgetfulOf('ask_resolved'),
    noticed: { 'an ask that was answered while nobody watched is told as answered': /Expected values/ },
  },
]
