import { readlink } from 'node:fs/promises'
import type { SessionProcesses } from '@opencode-gateway/opencode'
import { findProcesses, hasEntry, killProcess } from './marked-processes.ts'

export interface SessionProcessesOptions {
  /** Entry in the environment of our engine and all it starts. */
  engineMark: string
  /** Entry in the environment of what the session's commands start. */
  sessionMark: string
  directory: string
}

/** What an embedded engine started for one session: marked as its own, or at work in its directory. */
export function createSessionProcesses({
  engineMark,
  sessionMark,
  directory,
}: SessionProcessesOptions): SessionProcesses {
  return {
    find: () =>
      findProcesses(async (environment, pid) => {
        if (!hasEntry(environment, engineMark)) return false
        if (hasEntry(environment, sessionMark)) return true
        const at = await readlink(`/proc/${pid}/cwd`).catch(() => '')
        return at === directory || at.startsWith(`${directory}/`)
      }),
    kill: (pids) => pids.filter((pid) => killProcess(pid)).length,
  }
}
