import { accessSync, constants, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The little of the machine that a configuration depends on; handed in, so that reading it stays a pure step. */
export interface Surroundings {
  cwd: string
  home: string
  /** Throws when the file cannot be read. */
  readText(path: string): string
  exists(path: string): boolean
  /** What keeps a directory from being there or from being made, in words; undefined when nothing seems to. */
  obstacle(directory: string): string | undefined
}

/** `obstacle` of this machine: the nearest thing that is there must be a directory that this user may write to. */
export function findObstacle(directory: string): string | undefined {
  for (let place = directory; ; place = dirname(place)) {
    try {
      if (!statSync(place).isDirectory()) return `${JSON.stringify(place)} is not a directory`
      accessSync(place, constants.W_OK | constants.X_OK)
      return undefined
    } catch (err) {
      const code = err instanceof Error && 'code' in err ? err.code : undefined
      const isAbsent = code === 'ENOENT' || code === 'ENOTDIR'
      if (!isAbsent || dirname(place) === place) return `${JSON.stringify(place)} cannot be used (${String(code)})`
    }
  }
}

/**
 * The nearest thing at or above a directory that an engine would take for the project of every workspace below it.
 * With it the agent could write anywhere in that project.
 */
export function projectAbove(directory: string, { exists }: Pick<Surroundings, 'exists'>): string | undefined {
  for (let place = directory; ; place = dirname(place)) {
    const found = ['.git', 'AGENTS.md'].map((name) => join(place, name)).find((path) => exists(path))
    if (found !== undefined || dirname(place) === place) return found
  }
}
