import { readShellTokens, type WordPiece } from './shell-words.ts'

/** One simple command of a list, and what links it to the one before. */
export interface ShellCommand {
  readonly words: readonly (readonly WordPiece[])[]
  /** `and`: only after a success; `or`: only after a failure. */
  readonly when: 'always' | 'and' | 'or'
  readonly background: boolean
  readonly to: { readonly file: readonly WordPiece[]; readonly append: boolean } | 'stderr' | undefined
}

/** Reads a command line as a list of simple commands; throws on what the fake shell does not know. */
export function readShellList(line: string): readonly ShellCommand[] {
  const commands: ShellCommand[] = []
  let when: ShellCommand['when'] = 'always'
  let words: (readonly WordPiece[])[] = []
  let to: ShellCommand['to']
  let redirect: '>' | '>>' | undefined

  function end(next: ShellCommand['when'], background: boolean): void {
    if (words.length > 0) commands.push({ words, when, background, to })
    words = []
    to = undefined
    when = next
  }

  for (const token of readShellTokens(line)) {
    if ('word' in token) {
      if (redirect) to = { file: token.word, append: redirect === '>>' }
      else words.push(token.word)
      redirect = undefined
    } else if (token.operator === '>' || token.operator === '>>') redirect = token.operator
    else if (token.operator === '>&2') to = 'stderr'
    else if (token.operator === '&&') end('and', false)
    else if (token.operator === '||') end('or', false)
    else end('always', token.operator === '&')
  }
  end('always', false)
  return commands
}
