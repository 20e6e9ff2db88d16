import { after, before } from 'node:test'
import { engineAbilities, executorConformance } from '@opencode-gateway/executor-testing'
import { createPlace, startScene } from './scene.ts'
import type { Place, Scene } from './scene.ts'

let place: Place
let scene: Scene
before(async () => {
  place = await createPlace()
  // One case begins five containers at once, which takes a busy machine a minute.
  scene = await startScene(place, { startTimeoutMs: 100_000 })
})
after(() => place.close())

executorConformance(
  {
    name: 'docker',
    abilities: [...engineAbilities, 'survivesRestart', 'fork', 'option:resources'],
    make: () => Promise.resolve(scene.fixture()),
  },
  // Every session starts a container, which is four seconds of a processor.
  { limitMs: 120_000, commonSessions: true },
)
