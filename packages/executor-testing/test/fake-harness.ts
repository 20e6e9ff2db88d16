import type { Executor } from '@opencode-gateway/contracts'
import { createFakeExecutor, type Ability, type ExecutorHarness, type FakeExecutorOptions } from '../src/index.ts'

export const fakeAbilities: readonly Ability[] = [
  'shell',
  'followUps',
  'survivesRestart',
  'processes',
  'asks',
  'sweep',
  'close',
  'fork',
  'option:model',
  'option:agent',
  'option:system_prompt',
  'option:output_schema',
  'option:permissions',
  'option:interactive',
  'option:wrap_up',
]

export interface FakeHarnessOptions {
  readonly name?: string
  readonly abilities?: readonly Ability[]
  readonly fake?: FakeExecutorOptions
  /** Puts something between the suite and the fake. */
  wrap?(executor: Executor): Executor
}

export function fakeHarness({
  name = 'fake',
  abilities = fakeAbilities,
  fake,
  wrap,
}: FakeHarnessOptions = {}): ExecutorHarness {
  return {
    name,
    abilities,
    async make() {
      const executor = createFakeExecutor({ models: ['scripted/scripted'], ...fake })
      return {
        executor: wrap ? wrap(executor) : executor,
        gates: executor,
        unknownModel: 'scripted/unknown',
        maxOutputBytes: 1024 * 1024,
        // Kept directories count too: a case removes what it kept.
        leftovers: async () => [...executor.leftovers(), ...executor.engine.directories.keys()],
        close: () => executor.crash(),
      }
    },
  }
}
