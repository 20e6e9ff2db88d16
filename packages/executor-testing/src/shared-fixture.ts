import type { Executor } from '@opencode-gateway/contracts'
import type { ExecutorFixture } from './suite/harness.ts'

/** An executor with engines of its own that all tests of a file share. */
export interface SharedExecutor {
  readonly executor: Executor
  fixture(): ExecutorFixture
}

/** The executor outlives each case: starting it anew would take most of the time. Its model is `script/scripted`. */
export function shareExecutor(
  executor: Executor,
  { gates, leftovers }: Pick<ExecutorFixture, 'gates' | 'leftovers'>,
): SharedExecutor {
  return {
    executor,
    fixture: () => ({
      executor: { ...executor, close: async () => {} },
      gates,
      unknownModel: 'script/no-such-model',
      maxOutputBytes: 1024 * 1024,
      leftovers,
      close: async () => {},
    }),
  }
}
