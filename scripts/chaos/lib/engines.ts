import { processesWith } from './processes.ts'
import type { Scene } from './scene.ts'

/** What the gateway itself has started: its engines. */
export async function enginesOf({ context, site }: Pick<Scene, 'context' | 'site'>): Promise<readonly number[]> {
  const gateway = site.gateway().pid
  const children = (await processesWith(context.directory)).filter(({ ancestors }) => ancestors[0] === gateway)
  return children.map(({ pid }) => pid)
}
