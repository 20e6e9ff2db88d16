import { dirname, join } from 'node:path'

/** The little of the machine that a configuration depends on; handed in, so that reading it stays a pure step. */
export interface Surroundings {
  cwd: string
  home: string
  /** Throws when the file cannot be read. */
  readText(path: string): string
  exists(path: string): boolean
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
