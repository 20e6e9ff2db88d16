import type { Executor } from '@opencode-gateway/contracts'
import { deaf, withExecutor, type Broken } from './meddle.ts'

const shared = 'a fork begins with the files of the other session, and from then on each has its own'

function withFork(executor: Executor, fork: (original: NonNullable<Executor['fork']>) => Executor['fork']): Executor {
  const original = executor.fork?.bind(executor)
  const broken = original && fork(original)
  return broken ? withExecutor(executor, { fork: broken }) : executor
}

export const brokenForks: readonly Broken[] = [
  {
    name: 'a fork that begins empty',
    breakIt: (fake) => withFork(fake, () => (_source, spec, ctx) => fake.open(spec, ctx)),
    noticed: { [shared]: /Expected values/ },
  },
  {
    name: 'a fork that is the session itself',
    breakIt: (fake) =>
      withFork(
        fake,
        () =>
          ({ sessionId }, { title }, ctx) =>
            fake.open({ sessionId, title }, ctx),
      ),
    noticed: { [shared]: /to be strictly unequal/ },
  },
  {
    name: "a fork with the other session's ref",
    breakIt: (fake) =>
      withFork(fake, (fork) => async (source, spec, ctx) => {
        const forked = await fork(source, spec, ctx)
        return { ...forked, ref: source.ref ?? forked.ref }
      }),
    noticed: { 'a fork outlives the session it was made from, and is found again by its own ref': /is not found/ },
  },
  {
    name: 'a fork that ignores its signal',
    breakIt: (fake) => withFork(fake, (fork) => (source, spec, ctx) => fork(source, spec, deaf(ctx))),
    noticed: {
      'a fork of what is not there, or not wanted any more, is refused and leaves nothing':
        /Missing expected rejection/,
    },
  },
]
