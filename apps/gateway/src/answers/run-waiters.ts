/** One client that waits for a run. Disposed of when it has its answer, or has left. */
export interface RunWaiter extends Disposable {
  /** The client is told that the run goes on: nobody ends it by leaving any more. */
  letGoOn(): void
  /** The client has left; true when the run is nobody's any more, so that it is to be cancelled. */
  leave(): boolean
}

/** The clients that wait for runs; several may wait for one, by its idempotency key. */
export interface RunWaiters {
  /** `first`: the client that began the run. Others that come when nobody waits cannot know who else counts on it. */
  join(runId: string, options: { first: boolean }): RunWaiter
}

export function createRunWaiters(): RunWaiters {
  const runs = new Map<string, { clients: number; goesOn: boolean }>()
  return {
    join(runId, { first }) {
      const run = runs.get(runId) ?? { clients: 0, goesOn: !first }
      runs.set(runId, run)
      run.clients += 1
      let waits = true

      function done(): void {
        if (!waits) return
        waits = false
        run.clients -= 1
        if (run.clients === 0) runs.delete(runId)
      }

      return {
        letGoOn() {
          run.goesOn = true
        },
        leave() {
          done()
          return run.clients === 0 && !run.goesOn
        },
        [Symbol.dispose]: done,
      }
    },
  }
}
