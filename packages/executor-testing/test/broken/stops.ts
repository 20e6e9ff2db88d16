import {
  Detached,
  type AgentEvent,
  type CallContext,
  type CancelReceipt,
  type RunInput,
  type RunOutcome,
} from '@opencode-gateway/contracts'
import { deaf, withInput, withOutcome, withSessions, type Broken } from './meddle.ts'

const receipt: CancelReceipt = { aborted_sessions: 1, killed: 0, quiet_after_ms: 1, escalated: false }

const cancelledOutcome: RunOutcome = {
  status: 'cancelled',
  finalMessage: '',
  error: { code: 'RUN_CANCELLED', message: 'The run was cancelled.', retryable: false },
  usage: {
    tokens: { input: 0, output: 0, reasoning: 0, cache_read: 0, cache_write: 0 },
    cost_usd: null,
    model_calls: 0,
  },
  evidence: { checks: [], checked_at: '2026-01-01T00:00:00.000Z' },
}

export const brokenStops: readonly Broken[] = [
  {
    name: 'a cancellation that is ignored',
    breakIt: (fake) => withSessions(fake, () => ({ cancel: async () => receipt })),
    noticed: {
      'a run is cancelled in mid stream, and the receipt counts it': /the end of a run/,
      'cancelling twice at once gives two receipts and one outcome': /the end of a run/,
      "a run is cancelled in the agent's command": /the end of a run/,
      'cancelling one session leaves the other at work': /the end of a run/,
      'a run that was found again can be cancelled': /the end of a run/,
      'a run is cancelled while the engine waits to call the model again': /the end of a run/,
      'a run is cancelled while an ask waits, which is gone then': /the end of a run/,
    },
    hangs: true,
  },
  {
    name: 'a cancellation that is reported while the run goes on',
    breakIt: (fake) =>
      withSessions(fake, (session) => {
        let leaving = new AbortController()
        return {
          async cancel() {
            leaving.abort(new Detached())
            return receipt
          },
          async *run(input: RunInput, ctx: CallContext): AsyncGenerator<AgentEvent> {
            leaving = new AbortController()
            yield* session.run(input, { ...ctx, signal: AbortSignal.any([ctx.signal, leaving.signal]) })
            if (leaving.signal.aborted) yield { type: 'outcome', outcome: cancelledOutcome }
          },
        }
      }),
    noticed: { 'what a cancelled run still had to do is not done': /SESSION_BUSY|works on run|the cancelled run/ },
  },
  {
    name: 'a cancellation that never settles',
    breakIt: (fake) => withSessions(fake, () => ({ cancel: () => new Promise(() => {}) })),
    noticed: {
      'cancelling an idle session does nothing, and its next run is not cancelled': /waited for the cancellation/,
    },
    hangs: true,
  },
  {
    name: 'a cancellation that hits the next run as well',
    breakIt: (fake) =>
      withSessions(fake, (session) => {
        let cancelled = false
        return {
          async cancel(ctx) {
            cancelled = true
            return await session.cancel(ctx)
          },
          async *run(input: RunInput, ctx: CallContext): AsyncGenerator<AgentEvent> {
            if (cancelled) yield { type: 'outcome', outcome: cancelledOutcome }
            else yield* session.run(input, ctx)
          },
        }
      }),
    noticed: {
      'cancelling an idle session does nothing, and its next run is not cancelled': /not completed: RUN_CANCELLED/,
      'a run is cancelled in mid stream, and the receipt counts it': /not completed: RUN_CANCELLED/,
    },
  },
  {
    name: 'a receipt that counts nothing',
    breakIt: (fake) =>
      withSessions(fake, (session) => ({
        cancel: async (ctx) => ({ ...(await session.cancel(ctx)), aborted_sessions: 0 }),
      })),
    noticed: {
      'a run is cancelled in mid stream, and the receipt counts it': /no session was told to stop/,
      'a run is cancelled in a sub-agent, which does not go on either': /the sub-agent was not told/,
    },
  },
  {
    name: 'a receipt that hides what had to be killed',
    breakIt: (fake) =>
      withSessions(fake, (session) => ({
        cancel: async (ctx) => ({ ...(await session.cancel(ctx)), killed: 0, escalated: false }),
      })),
    noticed: { 'a process that will not end is killed, and the receipt says so': /counts nothing that was killed/ },
  },
  {
    name: 'a receipt that tells of force where there was none',
    breakIt: (fake) =>
      withSessions(fake, (session) => ({
        cancel: async (ctx) => ({ ...(await session.cancel(ctx)), escalated: true }),
      })),
    noticed: {
      'a run is cancelled in mid stream, and the receipt counts it': /it escalated exactly when/,
    },
  },
  {
    name: 'a cancelled run that is reported as failed',
    breakIt: (fake) =>
      withOutcome(fake, (outcome) => (outcome.status === 'cancelled' ? { ...outcome, status: 'failed' } : outcome)),
    noticed: {
      'a run is cancelled before its first text': /cancelled/,
      'an abort of the signal stops the run, which ends cancelled': /cancelled/,
      'a run whose signal is aborted already does nothing': /cancelled/,
      'a model that never answers can be given up': /cancelled/,
    },
  },
  {
    name: 'processes that outlive the cancellation',
    // To whoever asks, all of them are alive.
    breakIt: (fake) =>
      withInput(fake, (input) =>
        input.kind === 'shell' ? { ...input, command: input.command.replace(/^kill -0 .*$/, 'true') } : input,
      ),
    noticed: {
      'no process of a cancelled command lives on': /lives on/,
      'no process of a command lives on when its signal aborts': /lives on/,
      'a process that will not end is killed, and the receipt says so': /lives on/,
    },
  },
  {
    name: 'a signal that nobody listens to',
    breakIt: (fake) => withSessions(fake, (session) => ({ run: (input, ctx) => session.run(input, deaf(ctx)) })),
    noticed: {
      'an abort of the signal stops the run, which ends cancelled': /the end of a run/,
      'a model that never answers can be given up': /the end of a run/,
      'an answer that stalls half way can be given up': /the end of a run/,
    },
    hangs: true,
  },
  {
    name: 'a run that goes on when its reader leaves',
    breakIt: (fake) =>
      withSessions(fake, (session) => ({
        run(input, ctx) {
          const items = session.run(input, ctx)[Symbol.asyncIterator]()
          return { [Symbol.asyncIterator]: () => ({ next: () => items.next() }) }
        },
      })),
    noticed: { 'leaving the iteration stops the run': /SESSION_BUSY|works on run/ },
  },
  {
    name: 'a run found again that goes on when its reader leaves at once',
    breakIt: (fake) =>
      withSessions(fake, (session) => ({
        async *resume(progress, ctx) {
          yield* session.resume(progress, ctx)
        },
      })),
    noticed: {
      'whoever turns away from a run that is found again before its first event has ended it': /completed|it went on/,
    },
  },
  {
    name: 'letting go that stops the run',
    breakIt: (fake) =>
      withSessions(fake, (session) => ({
        async *run(input: RunInput, ctx: CallContext): AsyncGenerator<AgentEvent> {
          const stopping = new AbortController()
          ctx.signal.addEventListener('abort', () => stopping.abort(new Error('stop')), { once: true })
          for await (const item of session.run(input, { ...ctx, signal: stopping.signal })) {
            if (item.type !== 'outcome' || !(ctx.signal.reason instanceof Detached)) yield item
          }
        },
      })),
    noticed: {
      'a run that goes on unseen is found again: nothing is missing and nothing comes twice': /RUN_CANCELLED/,
      'a run that ended unseen is told to its end': /RUN_CANCELLED/,
      'a run that fails unseen is told as failed': /cancelled RUN_CANCELLED/,
    },
  },
]
