import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Log } from '@opencode-gateway/contracts'
import { createGitServer } from '@opencode-gateway/executor-testing'
import { createGit } from '@opencode-gateway/workspaces'
import type { Bench } from '../bench.ts'
import { ms, ratio } from '../lib/format.ts'
import { quietMoment } from '../lib/quiet.ts'
import { median } from '../lib/stats.ts'

const files = 20_000
const bytesPerFile = 10_000
const rounds = 3
const target = 0.3

export const clone: Bench = {
  name: 'clone',
  describe: 'a repository of 20 000 files into a workspace, the first and the second time, against git clone',
  async run(context) {
    const searchPath = process.env['PATH'] ?? '/usr/bin:/bin'
    const server = await createGitServer({ path: searchPath })
    context.after(async () => await server.close())
    context.say(`generating ${files} files of ${bytesPerFile} bytes`)
    const url = await server.addRepository('large', generatedFiles())
    await server.git('large', 'repack', '-adq')

    const taken: Record<'plain' | 'first' | 'second', number[]> = { plain: [], first: [], second: [] }
    for (let round = 0; round < rounds; round += 1) {
      const at = (name: string): string => path.join(context.directory, `${round}-${name}`)
      const env = { PATH: searchPath, HOME: context.directory, GIT_CONFIG_NOSYSTEM: '1' }
      taken.plain.push(
        await timed(
          context.signal,
          async () => await promisify(execFile)('git', ['clone', '-q', url, at('plain')], { env }),
        ),
      )
      // Another cache each round: its first clone is a first one.
      const { fill: fillWorkspace } = createGit({
        cacheDirectory: at('cache'),
        path: searchPath,
        allowedHosts: [server.host],
        credentials: new Map(),
        author: { name: 'Bench', email: 'bench@example.com' },
        limits: { cloneTimeoutMs: 600_000, pushTimeoutMs: 600_000, maxBytes: 2 ** 32 },
      })
      for (const name of ['first', 'second'] as const) {
        const place = { directory: at(name), workBranch: `opencode/${name}` }
        await mkdir(place.directory)
        const ctx = { signal: context.signal, log: quiet }
        taken[name].push(
          await timed(context.signal, async () => await fillWorkspace({ url }, place, ctx, () => undefined)),
        )
      }
      const [plain, first, second] = [taken.plain, taken.first, taken.second].map((times) =>
        ms(times.at(-1) ?? Number.NaN),
      )
      context.say(`git clone ${plain}, first ${first}, second ${second}`)
    }

    const [plain, first, second] = [median(taken.plain), median(taken.first), median(taken.second)]
    return [
      {
        what: `first clone of ${files} files into a workspace / git clone over HTTP`,
        measured: `${ratio(first / plain)}: ${ms(first)} / ${ms(plain)}`,
        values: { plainMs: plain, firstMs: first },
      },
      {
        what: `second clone of ${files} files into a workspace / git clone over HTTP`,
        target: `≤ ${ratio(target)}`,
        measured: `${ratio(second / plain)}: ${ms(second)} / ${ms(plain)}`,
        ok: second / plain <= target,
        values: { plainMs: plain, secondMs: second },
      },
    ]
  },
}

/** Content that does not compress, from a small generator with a fixed seed. */
function generatedFiles(): Record<string, Buffer> {
  const words = new Uint32Array((files * bytesPerFile) / 4)
  let state = 0x9e3779b9
  for (let index = 0; index < words.length; index += 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[index] = state >>> 0
  }
  const bytes = Buffer.from(words.buffer)
  const named = (_: unknown, index: number) =>
    [`d${index % 200}/f${index}.bin`, bytes.subarray(index * bytesPerFile, (index + 1) * bytesPerFile)] as const
  return Object.fromEntries(Array.from({ length: files }, named))
}

async function timed(signal: AbortSignal, work: () => Promise<unknown>): Promise<number> {
  await quietMoment(signal)
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

const quiet: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => quiet,
}
