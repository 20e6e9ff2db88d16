/** A process as the daemon lists it. */
export interface ListedProcess {
  pid: number
  parent: number
}

/**
 * Processes of a container that nothing of its engine started, or that what started them left behind: besides the
 * entry point, init has only such children. `processes` as the daemon lists them: init is the one whose parent is not
 * among them, the entry point its first child.
 */
export function leftoversOf(processes: readonly ListedProcess[]): readonly number[] {
  const pids = new Set(processes.map(({ pid }) => pid))
  const init = processes.find(({ parent }) => !pids.has(parent))
  const adopted = processes.filter(({ parent }) => parent === init?.pid).map(({ pid }) => pid)
  const entry = Math.min(...adopted)
  return adopted.filter((pid) => pid !== entry)
}
