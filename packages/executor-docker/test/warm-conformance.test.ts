import { after, before } from 'node:test'
import { engineAbilities, executorConformance } from '@opencode-gateway/executor-testing'
import { createPlace, startScene } from './scene.ts'
import type { Place, Scene } from './scene.ts'

let place: Place
let scene: Scene
before(async () => {
  place = await createPlace()
  scene = await startScene(place, { warmPool: { size: 1 } })
})
after(() => place.close())

executorConformance(
  {
    name: 'docker with warm containers',
    abilities: [...engineAbilities, 'survivesRestart', 'fork', 'option:resources'],
    make: () => Promise.resolve(scene.fixture()),
  },
  // What differs is how a session comes to its container, keeps it and gives it back.
  { limitMs: 120_000, groups: ['lifecycle'] },
)
