import { run } from '../child.mjs'

/** @type {import('./index.mjs').Task} */
export async function doctor({ root, tools, args, env }) {
  return await run(tools.node, ['scripts/stack/doctor.ts', ...args], { cwd: root, env })
}
