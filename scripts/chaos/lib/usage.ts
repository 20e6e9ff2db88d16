import { readdir, readFile } from 'node:fs/promises'

/** Memory and open files, sockets and pipes of a process. */
export async function usageOf(pid: number): Promise<{ rssBytes: number; handles: number }> {
  const [status, descriptors] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'latin1'),
    readdir(`/proc/${pid}/fd`),
  ])
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? []
  if (kilobytes === undefined) throw new Error(`process ${pid} does not tell its memory`)
  return { rssBytes: Number(kilobytes) * 1024, handles: descriptors.length }
}
