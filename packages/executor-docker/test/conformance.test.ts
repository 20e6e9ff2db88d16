import { after, before } from 'node:test'
import { executorConformance } from '@opencode-gateway/executor-testing'
import { createPlace, startScene } from './scene.ts'
import type { Place, Scene } from './scene.ts'

let place: Place
let scene: Scene
before(async () => {
  place = await createPlace()
  scene = await startScene(place)
})
after(() => place.close())

executorConformance(
  {
    name: 'docker',
    abilities: [
      'shell',
      'followUps',
      'survivesRestart',
      'processes',
      'sweep',
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
  },
  // Every session starts a container, which is a second or two of a processor.
  { limitMs: 120_000 },
)
