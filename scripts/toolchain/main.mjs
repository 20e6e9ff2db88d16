import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mirrorExit } from './child.mjs'
import { areInstalled, installDependencies } from './dependencies.mjs'
import { taskEnvironment } from './environment.mjs'
import { withLock } from './lock.mjs'
import { ToolchainError, say } from './say.mjs'
import { tasks } from './tasks/index.mjs'
import { areUsable, fetchTools, planTools } from './tools.mjs'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/**
 * Runs one task with the pinned tools first on PATH and ends the way the task ended.
 *
 * @param {readonly string[]} argv task name, then the task's own arguments
 */
export async function main([name = '', ...args]) {
  try {
    const task = Object.hasOwn(tasks, name) ? tasks[name] : undefined
    if (task === undefined) {
      throw new ToolchainError(`there is no task "${name}". Tasks: ${Object.keys(tasks).join(', ')}.`)
    }
    const tools = await prepare()
    mirrorExit(await task({ root, tools, args, env: taskEnvironment(process.env, tools) }))
  } catch (error) {
    if (!(error instanceof ToolchainError)) throw error
    say(error.message)
    mirrorExit(error.exit ?? { code: 1 })
  }
}

/** Looks without the lock, so that a run with nothing to fetch waits for nobody; looks again once it has the lock. */
async function prepare() {
  const plan = planTools(root)
  const { tools } = plan
  if (areUsable(plan) && areInstalled(root, tools)) return tools
  return await withLock(`${root}/.toolchain/lock`, async () => {
    if (!areUsable(plan)) await fetchTools(root, plan)
    if (!areInstalled(root, tools)) await installDependencies(root, tools)
    return tools
  })
}
