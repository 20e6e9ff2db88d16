import { createDaemon, readAll } from './daemon.ts'
import { readProcessEnv } from './config.ts'

/** Exit code 0 when the gate answers, and the daemon behind it. */
const TIMEOUT_MS = 5_000

const gate = createDaemon(readProcessEnv().listen)
try {
  const answer = await gate.call({ method: 'GET', path: '/_ping', signal: AbortSignal.timeout(TIMEOUT_MS) })
  const text = await readAll(answer)
  if (answer.status !== 200) throw new Error(`it answers ${answer.status}: ${text}`)
} catch (error) {
  process.stderr.write(`the gate is not well: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
} finally {
  await gate.close()
}
