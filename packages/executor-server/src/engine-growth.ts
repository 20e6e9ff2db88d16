import { readFile } from 'node:fs/promises'
import type { RunningEngine } from './running-engine.ts'

/** How large and old an engine may become before another takes its place. */
export interface RecycleLimits {
  maxRssBytes: number
  maxAgeMs: number
  maxDirectories: number
}

export const defaultRecycleLimits: RecycleLimits = {
  maxRssBytes: 1.5 * 1024 ** 3,
  maxAgeMs: 24 * 60 * 60 * 1_000,
  maxDirectories: 100,
}

/** Why the engine should be replaced, for people; undefined when it need not. */
export function outgrown(
  engine: Pick<RunningEngine, 'ageMs' | 'directories'>,
  rssBytes: number | undefined,
  limits: RecycleLimits,
): string | undefined {
  if (rssBytes !== undefined && rssBytes > limits.maxRssBytes) return `it holds ${rssBytes} bytes of memory`
  if (engine.ageMs() > limits.maxAgeMs) return `it has run for ${Math.round(engine.ageMs() / 1_000)} s`
  if (engine.directories() > limits.maxDirectories) return `it has worked in ${engine.directories()} directories`
  return undefined
}

/** Memory of a process; undefined where that cannot be read. */
export async function readRssBytes(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
}
