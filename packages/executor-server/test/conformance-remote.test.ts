import { after, before } from 'node:test'
import { executorConformance } from '@opencode-gateway/executor-testing'
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
  abilities: [
    'shell',
    'followUps',
    'survivesRestart',
    'processes',
    'sweep',
    'fork',
    'option:model',
    'option:agent',
    'option:system_prompt',
    'option:output_schema',
    'option:permissions',
    'option:interactive',
    'option:wrap_up',
    'option:files',
    'asks',
  ],
  make: () => Promise.resolve(scene.fixture()),
})
