import type { GatewayApi } from './gateway-api.ts'

export interface SoakRun {
  run: number
  /** Its session; undefined when none was made. */
  id: string | undefined
  /** Milliseconds of each step. */
  steps: Readonly<Record<string, number>>
  streams: { opened: number; complete: number }
  error?: string
}

/** One session: it writes a file of its own, finds no other, and leaves with an exit code of its own. */
export async function soakRun(api: GatewayApi, run: number): Promise<SoakRun> {
  const steps: Record<string, number> = {}
  const streams = { opened: 0, complete: 0 }
  const timed = async <T>(name: string, step: () => Promise<T>): Promise<T> => {
    const startedAt = performance.now()
    try {
      return await step()
    } finally {
      steps[name] = Math.round(performance.now() - startedAt)
    }
  }
  let id: string | undefined
  try {
    const session = await timed('session', () => api.makeSession())
    id = session
    const marker = `marker-${run}-${session}`
    const echo = await timed('echo', () => api.shell(session, `echo ${marker} && touch ${marker}`))
    expect(echo.exitCode === 0 && echo.output.trim() === marker, 'echo', echo)
    const list = await timed('list', () => api.shell(session, 'ls -A | grep ^marker-'))
    expect(list.output.trim() === marker, 'files of another run are seen', list)
    const code = run % 100
    const exit = await timed('exit', () => api.shell(session, `exit ${code}`))
    expect(exit.exitCode === code, `exit ${code}`, exit)
    streams.opened += 1
    const stream = await timed('events', () => api.readStream(session))
    expect(stream.complete === 3, 'three commands that ended', stream)
    streams.complete += 1
    return { run, id, steps, streams }
  } catch (error) {
    return { run, id, steps, streams, error: error instanceof Error ? error.message : String(error) }
  } finally {
    const made = id
    if (made !== undefined) await timed('delete', () => api.remove(made)).catch(() => undefined)
  }
}

function expect(met: boolean, what: string, seen: unknown): void {
  if (!met) throw new Error(`${what}: ${JSON.stringify(seen).slice(0, 1000)}`)
}
