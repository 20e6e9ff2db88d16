/** `\n`, `\t`, `\|` and `\\` in a line; any other backslash stays as it is. */
export function unescapeText(text: string): string {
  return text.replace(/\\([nt|\\])/g, (_, letter: string) => {
    if (letter === 'n') return '\n'
    return letter === 't' ? '\t' : letter
  })
}

/** Splits at ` | ` into at most `limit` fields; the last keeps any further bars. */
export function splitFields(text: string, limit = Number.POSITIVE_INFINITY): string[] {
  const fields: string[] = []
  let rest = text
  while (fields.length < limit - 1) {
    const bar = /\s\|(?:\s|$)/.exec(rest)
    if (!bar) break
    fields.push(rest.slice(0, bar.index).trim())
    rest = rest.slice(bar.index + bar[0].length)
  }
  return [...fields, rest].map((field) => unescapeText(field))
}

export interface LeadingOptions {
  readonly options: ReadonlyMap<string, string>
  readonly rest: string
}

/** Takes `key=value` words from the front of a text. */
export function takeOptions(text: string): LeadingOptions {
  const options = new Map<string, string>()
  let rest = text.trim()
  for (;;) {
    const option = /^([a-z-]+)=(\S+)\s*/.exec(rest)
    if (option?.[1] === undefined || option[2] === undefined) return { options, rest }
    options.set(option[1], option[2])
    rest = rest.slice(option[0].length)
  }
}

const MAX_DELTAS = 100

/** Cuts a text into words, or into a hundred pieces when it has more words than that. */
export function splitDeltas(text: string): string[] {
  const words = text.match(/\s*\S+\s*$|\s*\S+/g) ?? (text === '' ? [] : [text])
  if (words.length <= MAX_DELTAS) return words
  const letters = Array.from(text)
  const size = Math.ceil(letters.length / MAX_DELTAS)
  return Array.from({ length: Math.ceil(letters.length / size) }, (_, index) =>
    letters.slice(index * size, (index + 1) * size).join(''),
  )
}
