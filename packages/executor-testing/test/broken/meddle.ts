import type { AgentEvent, AgentSession, CallContext, Executor, RunInput, RunOutcome } from '@opencode-gateway/contracts'

/** One way to break an executor, and the cases that must notice. */
export interface Broken {
  readonly name: string
  breakIt(executor: Executor): Executor
  /** Case name → what its failure says. */
  readonly noticed: Readonly<Record<string, RegExp>>
  /** The case notices by its limit; it is a short one then. */
  readonly hangs?: boolean
}

/** The executor with some of its members replaced. */
export function withExecutor(executor: Executor, members: Partial<Executor>): Executor {
  return { ...bind(executor), ...members }
}

/** The executor with some members of all its sessions replaced. */
export function withSessions(executor: Executor, members: (session: AgentSession) => Partial<AgentSession>): Executor {
  const wrap = (session: AgentSession): AgentSession => ({ ...session, ...members(session) })
  return withExecutor(executor, {
    open: async (spec, ctx) => wrap(await executor.open(spec, ctx)),
    async attach(ref, ctx) {
      const session = await executor.attach(ref, ctx)
      return session && wrap(session)
    },
  })
}

/** The executor with other items in its runs. */
export function withItems(
  executor: Executor,
  change: (items: AsyncIterable<AgentEvent>, input: RunInput) => AsyncIterable<AgentEvent>,
): Executor {
  return withSessions(executor, (session) => ({
    run: (input, ctx) => change(session.run(input, ctx), input),
    resume: (progress, ctx) => change(session.resume(progress, ctx), progress.input),
  }))
}

/** The executor with each item of its runs replaced by others. */
export function withEachItem(executor: Executor, change: (item: AgentEvent) => readonly AgentEvent[]): Executor {
  return withItems(executor, async function* changed(items) {
    for await (const item of items) yield* change(item)
  })
}

export function withOutcome(
  executor: Executor,
  change: (outcome: RunOutcome, input: RunInput) => RunOutcome,
): Executor {
  return withItems(executor, async function* changed(items, input) {
    for await (const item of items) {
      yield item.type === 'outcome' ? { type: 'outcome', outcome: change(item.outcome, input) } : item
    }
  })
}

export function withInput(executor: Executor, change: (input: RunInput) => RunInput): Executor {
  return withSessions(executor, (session) => ({ run: (input, ctx) => session.run(change(input), ctx) }))
}

/** A context whose signal never aborts. */
export function deaf(ctx: CallContext): CallContext {
  return { ...ctx, signal: new AbortController().signal }
}

function bind(executor: Executor): Executor {
  const { name, capabilities } = executor
  return {
    name,
    capabilities,
    start: (signal) => executor.start(signal),
    check: (signal) => executor.check(signal),
    open: (spec, ctx) => executor.open(spec, ctx),
    attach: (ref, ctx) => executor.attach(ref, ctx),
    ...(executor.fork ? { fork: executor.fork.bind(executor) } : {}),
    sweep: (live, ctx) => executor.sweep(live, ctx),
    close: () => executor.close(),
  }
}
