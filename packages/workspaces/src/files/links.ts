import { joined } from './path.ts'

/**
 * Whether a link points at something in the workspace. It may climb, and then descend: a `..` after a name could be that
 * of another link's target.
 */
export function staysInside(names: readonly string[], target: string): boolean {
  if (target === '' || target.startsWith('/') || target.includes('\0') || target.includes('\\')) return false
  const steps = target.split('/').filter((step) => step !== '' && step !== '.')
  const firstName = steps.findIndex((step) => step !== '..')
  const climbs = firstName === -1 ? steps.length : firstName
  return climbs < names.length && !steps.slice(climbs).includes('..') && joined(names) !== ''
}
