/** The background commands of one workspace. */
export interface Processes {
  /** A stubborn one does not end when it is only asked to. */
  start(stubborn: boolean): number
  isAlive(pid: number): boolean
  readonly count: number
  /** Asks all of them to end, then ends the rest by force; returns how many those were. */
  stopAll(): number
}

const FIRST_PID = 1000

export function createProcesses(): Processes {
  /** Pid → stubborn. */
  const alive = new Map<number, boolean>()
  let lastPid = FIRST_PID
  return {
    start(stubborn) {
      lastPid += 1
      alive.set(lastPid, stubborn)
      return lastPid
    },
    isAlive: (pid) => alive.has(pid),
    get count() {
      return alive.size
    },
    stopAll() {
      const killed = [...alive.values()].filter((stubborn) => stubborn).length
      alive.clear()
      return killed
    },
  }
}
