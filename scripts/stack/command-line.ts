const EX_USAGE = 64

export interface CommandLine<Asked> {
  /** What errors begin with. */
  name: string
  usage: string
  /** Throws what is wrong with the arguments. */
  read(): Asked
  /** The exit code; the signal is that of an interrupt. */
  run(asked: Asked, signal: AbortSignal): Promise<number>
}

/** Carries out what the command line asks for, or says how it is to be written (exit code 64). */
export async function runCommandLine<Asked>({ name, usage, read, run }: CommandLine<Asked>): Promise<number> {
  const interrupted = new AbortController()
  process.once('SIGINT', () => interrupted.abort(new Error('interrupted')))
  process.once('SIGTERM', () => interrupted.abort(new Error('interrupted')))
  let asked: Asked
  try {
    asked = read()
  } catch (error) {
    console.error(`${name}: ${error instanceof Error ? error.message : String(error)}; usage: ${usage}`)
    return EX_USAGE
  }
  return await run(asked, interrupted.signal)
}
