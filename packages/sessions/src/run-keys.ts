import type { NewRun, RunKeys, RunRow } from '@opencode-gateway/contracts'

/** Holds the key of a run while it is admitted, and after if it was; the key is not part of what is stored. */
export async function withKey<T extends { run?: RunRow | undefined }>(
  keys: RunKeys | undefined,
  run: NewRun | undefined,
  key: string | undefined,
  admit: () => Promise<T>,
): Promise<T> {
  if (!keys || !run || key === undefined) return await admit()
  keys.keep(run, key)
  try {
    const admitted = await admit()
    if (admitted.run?.runId !== run.runId) keys.drop(run)
    return admitted
  } catch (error) {
    keys.drop(run)
    throw error
  }
}
