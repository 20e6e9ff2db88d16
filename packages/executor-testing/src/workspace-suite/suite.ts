import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { archiveCases } from './cases/archive.ts'
import { gitCases } from './cases/git.ts'
import { hostileArchiveCases } from './cases/hostile-archive.ts'
import { linkCases } from './cases/links.ts'
import { listCases } from './cases/list.ts'
import { moveCases } from './cases/move.ts'
import { pathCases } from './cases/paths.ts'
import { readCases } from './cases/read.ts'
import { removeCases } from './cases/remove.ts'
import { secretCases } from './cases/secrets.ts'
import { watchCases } from './cases/watch.ts'
import { writeCases } from './cases/write.ts'
import type { FilesCase, FilesHarness } from './harness.ts'

const groups: Readonly<Record<string, readonly FilesCase[]>> = {
  paths: pathCases,
  links: linkCases,
  secrets: secretCases,
  git: gitCases,
  list: listCases,
  read: readCases,
  write: writeCases,
  remove: removeCases,
  move: moveCases,
  archive: archiveCases,
  'hostile archives': hostileArchiveCases,
  watch: watchCases,
}

/** Registers the suite with node:test; every case has a workspace of its own, and what is outside stays as it was. */
export function workspaceFilesConformance(harness: FilesHarness, { limitMs = 30_000 } = {}): void {
  describe(`files of a workspace: ${harness.name}`, () => {
    for (const [group, cases] of Object.entries(groups)) {
      describe(group, () => {
        for (const { name, run } of cases) test(name, () => play(harness, run, limitMs))
      })
    }
  })
}

async function play(harness: FilesHarness, run: FilesCase['run'], limitMs: number): Promise<void> {
  const { files, sh, outside, close } = await harness.make()
  try {
    await run({ files, sh, outside, signal: AbortSignal.timeout(limitMs) })
    assert.equal(await sh(`ls -A '${outside}'; cat '${outside}/precious'`), 'precious\nkept')
  } finally {
    await close()
  }
}

export { archiveOf, hostileArchives } from './hostile-archives.ts'
export { hostilePaths, legalPaths } from './hostile-paths.ts'
export type { FilesCase, FilesFixture, FilesHarness, FilesScene } from './harness.ts'
