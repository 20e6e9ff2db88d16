import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { engineBinary } from './lean-engine.ts'

/** One `opencode run`, from the start of the process to its end; returns what it printed. */
export async function opencodeRun(prompt: string, env: NodeJS.ProcessEnv, cwd: string): Promise<string> {
  const child = spawn(engineBinary(), ['run', '--format', 'json'], { cwd, env, stdio: ['pipe', 'pipe', 'inherit'] })
  // On the command line a prompt with spaces would reach the model in quotes.
  child.stdin.end(prompt)
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')])
  if (child.exitCode !== 0) throw new Error(`opencode run ended with ${child.exitCode ?? child.signalCode}: ${output}`)
  return output
}
