import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import type { FilesCase, FilesScene } from '../harness.ts'
import { hostileArchives } from '../hostile-archives.ts'
import { bytes, paths, refused, write } from '../speak.ts'

const LIMITS = { maxEntries: 20, maxBytes: 50_000 }

async function refusedWhole(scene: FilesScene, archive: Readable, what: string): Promise<void> {
  await refused(scene.files.unpack(archive, LIMITS, scene.signal), 'ARCHIVE_REFUSED', what)
  assert.deepEqual(await paths(scene), ['kept'], what)
}

export const hostileArchiveCases: readonly FilesCase[] = [
  {
    name: `${hostileArchives.length} archives are refused whole, and nothing of them is unpacked`,
    async run(scene) {
      await write(scene, 'kept', 'here')
      for (const [what, archive] of hostileArchives) await refusedWhole(scene, bytes(await archive()), what)
    },
  },
  {
    name: 'an archive that is not all there is refused',
    async run(scene) {
      await write(scene, 'kept', 'here')
      const whole = Buffer.from(await scene.sh('tar czf - kept | base64'), 'base64')
      for (const length of [0, 1, 10, 20, whole.length - 9, whole.length - 1])
        await refusedWhole(scene, bytes(whole.subarray(0, length)), `${length} bytes`)
    },
  },
  {
    name: 'an archive whose sender leaves is forgotten',
    async run(scene) {
      await write(scene, 'kept', 'here')
      const whole = Buffer.from(await scene.sh('mkdir d; : > d/x; tar czf - d | base64; rm -r d'), 'base64')
      const leaving = Readable.from(
        (async function* () {
          yield whole.subarray(0, -5)
          throw new Error('gone')
        })(),
      )
      await assert.rejects(scene.files.unpack(leaving, LIMITS, scene.signal), /gone/)
      assert.deepEqual(await paths(scene), ['kept'])
    },
  },
]
