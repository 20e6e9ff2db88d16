import { bench } from './bench.mjs'
import { chaos } from './chaos.mjs'
import { check } from './check.mjs'
import { opencode } from './opencode.mjs'
import { smoke } from './smoke.mjs'
import { soak } from './soak.mjs'
import { start } from './start.mjs'
import { test } from './test.mjs'

/**
 * @typedef {object} TaskContext
 * @property {string} root
 * @property {import('../tools.mjs').Tools} tools
 * @property {readonly string[]} args the task's own
 * @property {NodeJS.ProcessEnv} env
 */
/** @typedef {(context: TaskContext) => Promise<import('../say.mjs').Exit>} Task */

/** @type {Record<string, Task>} */
export const tasks = { start, test, check, bench, chaos, opencode, smoke, soak }
