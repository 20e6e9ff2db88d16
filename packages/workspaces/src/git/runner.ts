import { runGit, type GitResult } from './command.ts'
import { gitEnvironment, type GitSurroundings } from './environment.ts'
import type { RemoteCall } from './remote-call.ts'

/** Runs git in a clean environment; what it may reach is told by the call. */
export interface GitRunner {
  /** The result whatever its exit code is. `call`: the remote it may speak to; none unless given. */
  run(args: readonly string[], options: RunOptions): Promise<GitResult>
  /** Its output; throws when git fails. For what can fail only if the disk or the repository is broken. */
  read(args: readonly string[], options: RunOptions): Promise<string>
}

export interface RunOptions {
  signal: AbortSignal
  call?: RemoteCall
  /** Where objects are found besides. */
  objects?: string
  input?: string | Buffer
  onLine?: (line: string) => void
  /** Of what `read` gives; latin1 keeps every byte of a file's name. */
  encoding?: 'utf8' | 'latin1'
}

export function createGitRunner(around: GitSurroundings): GitRunner {
  const run: GitRunner['run'] = async (args, { signal, call, objects, input, onLine }) =>
    await runGit({
      args,
      cwd: around.home,
      environment: {
        ...gitEnvironment(around, call),
        ...(objects === undefined ? {} : { GIT_ALTERNATE_OBJECT_DIRECTORIES: objects }),
      },
      signal,
      ...(input === undefined ? {} : { input }),
      ...(onLine === undefined ? {} : { onLine }),
    })
  return {
    run,
    async read(args, options) {
      const { exitCode, stdout, stderr } = await run(args, options)
      if (exitCode === 0) return stdout.toString(options.encoding ?? 'utf8')
      throw new Error(
        `git ${args.find((arg) => /^[a-z]/.test(arg)) ?? ''} failed with ${exitCode}: ${stderr.trim().slice(-500)}`,
      )
    },
  }
}
