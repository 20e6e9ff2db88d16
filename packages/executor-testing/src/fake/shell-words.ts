/** A piece of a word: text as it is, or the name of a variable whose value takes its place. */
export type WordPiece = { readonly text: string } | { readonly variable: string }
export type ShellToken = { readonly word: readonly WordPiece[] } | { readonly operator: string }

const OPERATORS = ['&&', '||', '>>', '>&2', '>', ';', '&', '\n']

/** Splits a command line as a POSIX shell does, as far as words, quotes, simple variables and the operators above go. */
export function readShellTokens(line: string): readonly ShellToken[] {
  const tokens: ShellToken[] = []
  let word: WordPiece[] | undefined
  let at = 0

  function endWord(): void {
    if (word) tokens.push({ word })
    word = undefined
  }

  function add(piece: WordPiece): void {
    word = [...(word ?? []), piece]
  }

  function readVariable(): void {
    const name = /^\$([?$!]|[A-Za-z_]\w*)/.exec(line.slice(at))?.[1]
    if (name === undefined && /^\$[({]/.test(line.slice(at))) throw new Error('it knows no substitution')
    add(name === undefined ? { text: '$' } : { variable: name })
    at += 1 + (name?.length ?? 0)
  }

  function readUntilQuote(quote: string): void {
    at += 1
    add({ text: '' })
    while (line[at] !== quote) {
      const letter = line[at]
      if (letter === undefined) throw new Error(`a closing ${quote} is missing`)
      if (quote === '"' && letter === '$') readVariable()
      else if (quote === '"' && letter === '`') throw new Error('it knows no substitution')
      else {
        const escaped = quote === '"' && letter === '\\' && /["\\$`]/.test(line[at + 1] ?? '')
        add({ text: escaped ? (line[at + 1] ?? '') : letter })
        at += escaped ? 2 : 1
      }
    }
    at += 1
  }

  while (at < line.length) {
    const operator = OPERATORS.find((known) => line.startsWith(known, at))
    const letter = line[at] ?? ''
    if (operator !== undefined) {
      endWord()
      tokens.push({ operator })
      at += operator.length
    } else if (letter === ' ' || letter === '\t') {
      endWord()
      at += 1
    } else if (letter === "'" || letter === '"') readUntilQuote(letter)
    else if (letter === '$') readVariable()
    else if (letter === '`' || letter === '|' || letter === '<' || letter === '(')
      throw new Error(`it knows no ${letter}`)
    else if (letter === '\\') {
      add({ text: line[at + 1] ?? '' })
      at += 2
    } else {
      const text = /^[^\s'"$\\`;&|<>(]+/.exec(line.slice(at))?.[0] ?? letter
      add({ text })
      at += text.length
    }
  }
  endWord()
  return tokens
}
