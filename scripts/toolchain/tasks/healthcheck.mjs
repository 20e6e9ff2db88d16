import { run } from '../child.mjs'

/** @type {import('./index.mjs').Task} */
export async function healthcheck({ root, tools, args, env }) {
  return await run(tools.node, ['scripts/stack/healthcheck.ts', ...args], { cwd: root, env })
}
