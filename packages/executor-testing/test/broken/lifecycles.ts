import type { Executor } from '@opencode-gateway/contracts'
import { deaf, withExecutor, withSessions, type Broken } from './meddle.ts'

/** Opens before it looks at the signal, and forgets what it opened. */
function leaky(fake: Executor): Executor {
  return withExecutor(fake, {
    async open(spec, ctx) {
      const session = await fake.open(spec, deaf(ctx))
      ctx.signal.throwIfAborted()
      return session
    },
  })
}

export const brokenLifecycles: readonly Broken[] = [
  {
    name: 'capabilities that are not true',
    breakIt: (fake) => withExecutor(fake, { capabilities: { ...fake.capabilities, shell: false } }),
    noticed: { 'the executor declares what the suite relies on': /Expected values/ },
  },
  {
    name: 'a check that is never well',
    breakIt: (fake) => withExecutor(fake, { check: async () => ({ ok: false, reason: 'no engine' }) }),
    noticed: { 'starting twice is starting once, and the check is well': /no engine/ },
  },
  {
    name: 'an opening that ignores its signal',
    breakIt: (fake) => withExecutor(fake, { open: (spec, ctx) => fake.open(spec, deaf(ctx)) }),
    noticed: { 'opening with an aborted signal is refused and leaves nothing': /Missing expected rejection/ },
  },
  {
    name: 'an aborted opening that leaves a session',
    breakIt: leaky,
    noticed: {
      'opening with an aborted signal is refused and leaves nothing': /something is left behind/,
      'an abort while a session opens leaves nothing, or a session that works': /something is left behind/,
    },
  },
  {
    name: 'an attach that finds nothing',
    breakIt: (fake) => withExecutor(fake, { attach: async () => undefined }),
    noticed: { 'a session is found again by its stored ref, with its files': /is not found/ },
  },
  {
    name: 'an attach that makes up what it does not find',
    breakIt: (fake) =>
      withExecutor(fake, {
        attach: (ref, ctx) => fake.open({ sessionId: ref['sessionId'] ?? '', title: 'made up' }, ctx),
      }),
    noticed: { 'a released session is gone, and released again without complaint': /Expected values/ },
  },
  {
    name: 'a sweep that removes everything',
    breakIt: (fake) => withExecutor(fake, { sweep: (_, ctx) => fake.sweep(new Set(), ctx) }),
    noticed: { 'a sweep removes what no live session needs, and nothing else': /Expected values/ },
  },
  {
    name: 'a sweep that removes nothing',
    breakIt: (fake) => withExecutor(fake, { sweep: async () => ({ removed: [], failed: [] }) }),
    noticed: { 'a sweep removes what no live session needs, and nothing else': /nothing was removed/ },
  },
  {
    name: 'a close that closes nothing',
    breakIt: (fake) => withExecutor(fake, { close: async () => {} }),
    noticed: { 'closed twice, the executor is not well and opens nothing': /a closed executor opened a session/ },
  },
  {
    name: 'a resumption that begins at the beginning',
    breakIt: (fake) =>
      withSessions(fake, (session) => ({
        resume: (progress, ctx) => session.resume({ ...progress, events: [] }, ctx),
      })),
    noticed: {
      'a run that goes on unseen is found again: nothing is missing and nothing comes twice': /one two/,
      'a run that is lost sight of twice has told in three parts what another tells in one': /Expected values/,
      'a command that goes on unseen is found again with its output and its exit code': /Expected values/,
    },
  },
]
