import { executorConformance } from '../src/index.ts'
import { fakeAbilities, fakeHarness } from './fake-harness.ts'

executorConformance(fakeHarness())

executorConformance(fakeHarness({ name: 'fake without timers', fake: { instant: true } }))

executorConformance(
  fakeHarness({
    name: 'fake that does not survive a restart',
    abilities: fakeAbilities.filter((ability) => ability !== 'survivesRestart'),
    fake: { capabilities: { survivesRestart: false } },
  }),
)
