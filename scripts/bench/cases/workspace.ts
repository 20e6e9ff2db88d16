import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createDirectories, createSnapshots, createWorkspaces } from '@opencode-gateway/workspaces'
import type { Bench, Figure } from '../bench.ts'
import { ms } from '../lib/format.ts'
import { quietMoment } from '../lib/quiet.ts'
import { summarize } from '../lib/stats.ts'

const files = 20_000
const perDirectory = 100
const changed = 1_000
const rounds = 20

export const workspace: Bench = {
  name: 'workspace',
  describe: 'the tree, the size and the differences of a workspace of 20 000 files, as the routes ask for them',
  async run({ directory, signal, say }) {
    const directories = createDirectories(path.join(directory, 'workspaces'))
    await directories.prepare()
    const limits = { timeoutMs: 600_000, maxFileBytes: 1_000_000 }
    const snapshots = createSnapshots({ path: process.env['PATH'] ?? '/usr/bin:/bin', limits })
    const workspace = await createWorkspaces({ directories, snapshots }).make('bench')
    const at = (index: number): string =>
      path.join(workspace.path, `d${Math.floor(index / perDirectory)}`, `f${index}.txt`)
    say(`writing ${files} files`)
    for (let index = 0; index < files; index += 1) {
      if (index % perDirectory === 0) await mkdir(path.dirname(at(index)))
      await writeFile(at(index), `file ${index}\n`.repeat(20))
    }
    const place = { directory: workspace.path, aside: directories.beside('bench', 'aside') }
    await snapshots.take(place, 'start', signal)
    for (let index = 0; index < changed; index += 1)
      await writeFile(at(index * 20), `file ${index} has changed\n`.repeat(20))

    const tree = async () => {
      const { entries } = await workspace.files.list('', { depth: 64, limit: 100_000 }, signal)
      if (entries.length !== files + files / perDirectory) throw new Error(`the tree has ${entries.length} entries`)
    }
    const size = async () => {
      const found = await workspace.measure({ maxBytes: 2 ** 40, maxFiles: 1_000_000 }, signal)
      if (found.files !== files + files / perDirectory) throw new Error(`${found.files} files were counted`)
    }
    const diff = async () => {
      const options = { from: 'start', limit: 2_000, maxPatchBytes: 100_000 }
      const { files } = await snapshots.diff(place, options, signal)
      if (files.length !== changed || files.some(({ patch }) => patch === undefined))
        throw new Error('the diff lacks some')
    }
    return [
      await measured(`tree of ${files} files`, tree, signal),
      await measured(`size of ${files} files, in a thread of its own`, size, signal),
      await measured(`diff of ${changed} changed files among ${files}, with patches`, diff, signal),
    ]
  },
}

async function measured(what: string, work: () => Promise<void>, signal: AbortSignal): Promise<Figure> {
  await work()
  await quietMoment(signal)
  const times: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const startedAt = performance.now()
    await work()
    times.push(performance.now() - startedAt)
  }
  const { p50, p95 } = summarize(times)
  return { what, measured: `p50 ${ms(p50)}, p95 ${ms(p95)}`, values: { p50Ms: p50, p95Ms: p95 } }
}
