/**
 * @typedef {object} Finding
 * @property {'ok' | 'careful' | 'missing'} state `missing` is needed; `careful` is not, but somebody should know.
 * @property {string} seen
 * @property {string} [fix]
 */
/** @typedef {Readonly<Record<string, string | undefined>>} Environment */
/** @typedef {(env: Environment) => Finding | Promise<Finding>} Check */

/** @param {string} seen @returns {Finding} */
export const ok = (seen) => ({ state: 'ok', seen })

/** @param {string} seen @param {string} fix @returns {Finding} */
export const careful = (seen, fix) => ({ state: 'careful', seen, fix })

/** @param {string} seen @param {string} fix @returns {Finding} */
export const missing = (seen, fix) => ({ state: 'missing', seen, fix })

/** @param {Environment} env */
export const isDockerMode = (env) => env['EXECUTOR'] === 'docker' || env['OPENCODE_SERVER_ENABLED'] === 'false'

/** Whether the gateway starts an engine of its own. @param {Environment} env */
export const isEmbedded = (env) => !isDockerMode(env) && !(env['OPENCODE_SERVER_URL'] || env['OPENCODE_URL'])
