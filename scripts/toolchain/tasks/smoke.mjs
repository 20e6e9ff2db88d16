import { run } from '../child.mjs'

/** @type {import('./index.mjs').Task} */
export async function smoke({ root, tools, args, env }) {
  return await run(tools.node, ['scripts/stack/smoke.ts', ...args], { cwd: root, env })
}
