import { after, before } from 'node:test'
import { engineAbilities, executorConformance } from '@opencode-gateway/executor-testing'
import { startRemoteEngine } from './remote.ts'
import type { RemoteEngine } from './remote.ts'
import { createPlace, startScene } from './scene.ts'
import type { Place, Scene } from './scene.ts'

let place: Place
let engine: RemoteEngine
let scene: Scene
before(async () => {
  place = await createPlace()
  engine = await startRemoteEngine(place)
  scene = await startScene(place, { remote: engine.remote })
})
after(() => place.close())

executorConformance({
  name: 'server, a remote engine',
  abilities: [...engineAbilities, 'survivesRestart', 'fork'],
  make: () => Promise.resolve(scene.fixture()),
})
