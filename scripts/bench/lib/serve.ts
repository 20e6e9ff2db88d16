import type { FromChild, ToChild, Usage } from './child.ts'

export interface Served {
  url: string
  close(): Promise<void>
}

/** The child's side of `startChild`: serves until it is told to stop or its parent is gone. */
export async function serveBench(start: (settings: unknown) => Promise<Served>): Promise<void> {
  const served = await start(JSON.parse(process.argv[2] ?? '{}'))
  const tell = (message: FromChild): void => void process.send?.(message)
  const close = async (): Promise<void> => {
    await served.close()
    if (process.connected) process.disconnect()
  }
  process.on('message', (message: ToChild) => {
    if (message === 'usage') tell({ kind: 'usage', usage: usage() })
    else void close()
  })
  process.once('disconnect', () => void served.close())
  tell({ kind: 'listening', url: served.url })
}

function usage(): Usage {
  const { user, system } = process.cpuUsage()
  return {
    rssBytes: process.memoryUsage.rss(),
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    cpuMs: (user + system) / 1000,
  }
}
