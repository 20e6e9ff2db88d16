import { builtins, type Builtin } from './shell-builtins.ts'
import { readShellList, type ShellCommand } from './shell-list.ts'
import type { WordPiece } from './shell-words.ts'
import { relativePath, writeFile, type Stage } from './stage.ts'

export type ShellStream = 'stdout' | 'stderr'

/** How a command line ended; a killed one has no exit code. */
export type ShellEnding = { readonly kind: 'exited'; readonly code: number } | { readonly kind: 'killed' }

/**
 * Carries out a command line in memory: words, quotes, `;`, `&&`, `||`, `&`, `>`, `>>`, `>&2` and a few commands.
 * Rejects when the stage's signal aborts; what it does not know exits with 2.
 */
export async function runShell(
  line: string,
  stage: Stage,
  write: (stream: ShellStream, text: string) => void,
): Promise<ShellEnding> {
  const variables = new Map([['$', '$$']])
  let code = 0
  let stubborn = false
  let commands: readonly ShellCommand[]
  try {
    commands = readShellList(line)
  } catch (error) {
    write('stderr', `fake shell: ${error instanceof Error ? error.message : String(error)}\n`)
    return { kind: 'exited', code: 2 }
  }

  const expand = (pieces: readonly WordPiece[]): string =>
    pieces.map((piece) => ('text' in piece ? piece.text : (variables.get(piece.variable) ?? ''))).join('')

  for (const command of commands) {
    stage.signal.throwIfAborted()
    if ((command.when === 'and' && code !== 0) || (command.when === 'or' && code === 0)) continue
    variables.set('?', String(code))
    const [name = '', ...args] = command.words.map((word) => expand(word))
    if (command.background) {
      variables.set('!', String(stage.processes.start(stubborn)))
      code = 0
      continue
    }
    const redirected: string[] = []
    const out = (text: string): void => {
      if (command.to === 'stderr') write('stderr', text)
      else if (command.to) redirected.push(text)
      else write('stdout', text)
    }
    const builtin: Builtin | undefined = builtins.get(name)
    if (!builtin) {
      write('stderr', `bash: line 1: ${name}: command not found\n`)
      code = 127
      continue
    }
    const result = await builtin({
      args,
      stage,
      lastCode: code,
      out,
      complain: (text) => write('stderr', `${text}\n`),
      ignoreTerm() {
        stubborn = true
      },
    })
    if (typeof command.to === 'object') {
      const path = expand(command.to.file)
      const before = command.to.append ? (stage.files.get(relativePath(path, stage.workspacePath)) ?? '') : ''
      writeFile(stage, path, before + redirected.join(''))
    }
    if (result === 'killed') return { kind: 'killed' }
    if (typeof result === 'object') return { kind: 'exited', code: result.exit }
    code = result
  }
  return { kind: 'exited', code }
}
