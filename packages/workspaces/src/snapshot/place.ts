import path from 'node:path'
import { SnapshotError } from './snapshot-error.ts'

/** A workspace, and the private directory of its session beside it. */
export interface Place {
  directory: string
  aside: string
}

/** The one that all others are recorded against. */
export const START = 'start'

/** Begins the names of what is made for one call, and has gone when the next one begins. */
export const WORK = 'work-'

const NAME = /^[a-z0-9][a-z0-9._-]{0,127}$/i

/** Where the snapshots of a place are kept. */
export const snapshotRoot = ({ aside }: Place): string => path.join(aside, 'snapshots')

export const contentsIn = (root: string): string => path.join(root, 'contents')

/** What a snapshot lists. */
export function listIn(root: string, name: string): string {
  if (NAME.test(name)) return path.join(root, `${name}.list`)
  throw new SnapshotError(`"${name}" cannot name a snapshot.`)
}
