import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { run, signalOf } from '../child.mjs'

/**
 * Everything that can be said about the source without running it. Every group runs, whatever the ones before it said.
 *
 * @type {import('./index.mjs').Task}
 */
export async function check({ root, tools, env }) {
  const bin = join(root, 'node_modules/.bin')
  /** @type {[name: string, command: string, args: string[]][]} */
  const groups = [
    ['format', `${bin}/oxfmt`, ['--check']],
    ['lint', `${bin}/oxlint`, ['--deny-warnings', '--report-unused-disable-directives']],
    ['import directions', `${bin}/turbo`, ['boundaries']],
    ['types', `${bin}/turbo`, ['run', 'types', '--continue=always', '--output-logs=errors-only']],
  ]
  if (existsSync(join(root, 'scripts/openapi.ts'))) {
    groups.push(['openapi.json', tools.node, ['scripts/openapi.ts', '--check']])
  }

  /** @type {string[]} */
  const red = []
  for (const [name, command, args] of groups) {
    process.stdout.write(`\n== ${name}\n`)
    const exit = await run(command, args, { cwd: root, env })
    const signal = signalOf(exit)
    if (signal) return { signal }
    if ('code' in exit && exit.code !== 0) red.push(name)
  }
  process.stdout.write(
    red.length > 0 ? `\ncheck failed: ${red.join(', ')}\n` : `\ncheck passed: ${groups.length} groups\n`,
  )
  return { code: red.length > 0 ? 1 : 0 }
}
