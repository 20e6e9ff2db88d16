import type { Check } from './check.ts'

/** After every session was deleted. */
export const noWorkspaces: Check<readonly string[]> = {
  name: 'no workspace is left behind',
  complaints: (names) => names.map((name) => `"${name}" is left in the workspace root`),
}
