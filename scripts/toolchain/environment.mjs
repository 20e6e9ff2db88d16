/**
 * The environment of a task: the pinned tools first on PATH, nothing that npm added for the launcher.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {{ binDir: string }} tools
 * @returns {NodeJS.ProcessEnv}
 */
export function taskEnvironment(env, { binDir }) {
  const kept = Object.entries(env).filter(([name]) => !/^npm_|^(NODE|INIT_CWD)$/.test(name))
  return {
    ...Object.fromEntries(kept),
    PATH: `${binDir}:${env.PATH ?? ''}`,
    TURBO_TELEMETRY_DISABLED: '1',
    DO_NOT_TRACK: '1',
  }
}
