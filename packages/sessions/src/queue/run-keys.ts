import type { NewRun, RunKeys, RunRow, Store } from '@opencode-gateway/contracts'

/** Seals the keys that models are called with for runs, each for one run alone. */
export interface KeySeal {
  seal(key: string, runId: string): string
  /** Throws MODEL_AUTH for what it cannot open. */
  open(sealed: string, runId: string): string
}

export interface KeyedRunsOptions {
  store: Pick<Store, 'getRunKey'>
  /** In memory; undefined where nothing is between engine and models. */
  keys: RunKeys | undefined
  /** Undefined: keys are in memory alone, and do not outlive the process. */
  seal: KeySeal | undefined
}

/** The keys of runs: in memory, and sealed with the run until it has ended. Those of sessions are in memory alone. */
export interface KeyedRuns {
  /**
   * Admits a run together with its key; a key that is the session's is held for later runs, too. When `take` fails, or
   * answers with another run, nothing of the key is held.
   */
  admit<R extends NewRun | undefined, T extends { run?: RunRow | undefined }>(
    run: R,
    key: string | undefined,
    take: (run: R) => Promise<T>,
  ): Promise<T>
  /** Undefined for a session that has none, or whose key is no longer held: it is in memory alone. */
  ofSession(sessionId: string): string | undefined
  /** From now on the key of an open run is in memory, also after a restart. */
  recall(run: RunRow): Promise<void>
  end(run: RunRow): void
  drop(of: { sessionId: string }): void
}

const isOfSession = ({ input }: NewRun): boolean => input.kind === 'prompt' && input.modelOptions?.keyed === 'session'

export function createKeyedRuns({ store, keys, seal }: KeyedRunsOptions): KeyedRuns {
  async function of(run: RunRow): Promise<string | undefined> {
    const held = keys?.of(run)
    if (held !== undefined || !seal) return held
    const sealed = await store.getRunKey(run.runId)
    return sealed === undefined ? undefined : seal.open(sealed, run.runId)
  }

  return {
    ofSession: (sessionId) => keys?.ofSession(sessionId),
    async admit(run, key, take) {
      if (!keys || !run || key === undefined) return await take(run)
      const sealed = seal ? { ...run, sealedKey: seal.seal(key, run.runId) } : run
      keys.keep(run, key)
      try {
        const admitted = await take(sealed)
        if (admitted.run?.runId !== run.runId) keys.drop(run)
        else if (isOfSession(run)) keys.keepForSession(run.sessionId, key)
        return admitted
      } catch (error) {
        keys.drop(run)
        throw error
      }
    },
    async recall(run) {
      if (keys?.of(run) !== undefined) return
      const key = await of(run)
      if (key !== undefined) keys?.keep(run, key)
    },
    end: ({ sessionId, runId }) => keys?.drop({ sessionId, runId }),
    drop: (session) => keys?.drop({ sessionId: session.sessionId }),
  }
}
