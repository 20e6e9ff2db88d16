import { run } from '../child.mjs'

/** @type {import('./index.mjs').Task} */
export async function opencode({ root, tools, args, env }) {
  return await run(tools.node, ['scripts/stack/opencode.ts', ...args], { cwd: root, env })
}
