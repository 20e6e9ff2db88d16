import { after, before } from 'node:test'
import { engineAbilities, executorConformance } from '@opencode-gateway/executor-testing'
import { createPlace, startScene } from './scene.ts'
import type { Place, Scene } from './scene.ts'

let place: Place
let scene: Scene
before(async () => {
  place = await createPlace()
  scene = await startScene(place, { embedded: place.embedded() })
})
after(() => place.close())

executorConformance({
  name: 'server, its own engine',
  abilities: [...engineAbilities, 'fork'],
  make: () => Promise.resolve(scene.fixture()),
})
