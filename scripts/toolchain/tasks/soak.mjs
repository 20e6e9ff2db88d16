import { run } from '../child.mjs'

/** @type {import('./index.mjs').Task} */
export async function soak({ root, tools, args, env }) {
  return await run(tools.node, ['scripts/stack/soak.ts', ...args], { cwd: root, env })
}
