import { run } from '../child.mjs'

/** @type {import('./index.mjs').Task} */
export async function chaos({ root, tools, args, env }) {
  return await run(tools.node, ['scripts/chaos/main.ts', ...args], { cwd: root, env })
}
