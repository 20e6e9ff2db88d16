import { run } from '../child.mjs'

/** @type {import('./index.mjs').Task} */
export async function bench({ root, tools, args, env }) {
  return await run(tools.node, ['scripts/bench/main.ts', ...args], { cwd: root, env })
}
