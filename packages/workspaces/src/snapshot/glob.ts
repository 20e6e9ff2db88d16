/**
 * Whether names match a pattern of `.gitignore`, in time that no pattern can make exponential: of several stars only
 * the last one is ever tried again.
 */
export function matchesGlob(pattern: readonly string[], names: readonly string[]): boolean {
  let [at, name] = [0, 0]
  let retry: { at: number; name: number } | undefined
  while (name < names.length) {
    const part = pattern[at]
    if (part === '**') {
      // At the end it stands for what lies below, and that is something.
      if (at === pattern.length - 1) return true
      retry = { at: at + 1, name }
      at += 1
    } else if (part !== undefined && matchesName(part, names[name] ?? '')) {
      at += 1
      name += 1
    } else if (retry) {
      retry.name += 1
      at = retry.at
      name = retry.name
    } else return false
  }
  return at === pattern.length
}

function matchesName(pattern: string, name: string): boolean {
  let [at, index] = [0, 0]
  let retry: { at: number; index: number } | undefined
  while (index < name.length) {
    const step = pattern[at] === '*' ? 'star' : matchesOne(pattern, at, name[index] ?? '')
    if (step === 'star') {
      at += 1
      retry = { at, index }
    } else if (step !== undefined) {
      at = step
      index += 1
    } else if (retry) {
      retry.index += 1
      at = retry.at
      index = retry.index
    } else return false
  }
  while (pattern[at] === '*') at += 1
  return at === pattern.length
}

/** Where the pattern goes on after one character that matches, or undefined. */
function matchesOne(pattern: string, at: number, character: string): number | undefined {
  const part = pattern[at]
  if (part === undefined) return undefined
  if (part === '?') return at + 1
  if (part === '\\') return pattern[at + 1] === character ? at + 2 : undefined
  if (part === '[') return matchesSet(pattern, at + 1, character)
  return part === character ? at + 1 : undefined
}

const CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /[0-9A-Za-z]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  cntrl: /[\x00-\x1f\x7f]/, // oxlint-disable-line no-control-regex
  digit: /[0-9]/,
  graph: /[\x21-\x7e]/,
  lower: /[a-z]/,
  print: /[\x20-\x7e]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t-\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
}

/** A set that is not closed matches nothing. */
function matchesSet(pattern: string, start: number, character: string): number | undefined {
  let at = start
  const negated = pattern[at] === '!' || pattern[at] === '^'
  if (negated) at += 1
  let found = false
  for (let first = true; first || pattern[at] !== ']'; first = false) {
    const named = /^\[:([a-z]+):\]/.exec(pattern.slice(at, at + 12))
    if (named) {
      const known = CLASSES[named[1] ?? '']
      if (!known) return undefined
      found ||= known.test(character)
      at += named[0].length
      continue
    }
    const low = literal(pattern, at)
    if (!low) return undefined
    at = low.next
    if (pattern[at] === '-' && pattern[at + 1] !== ']' && pattern[at + 1] !== undefined) {
      const high = literal(pattern, at + 1)
      if (!high) return undefined
      at = high.next
      found ||= low.character <= character && character <= high.character
    } else found ||= low.character === character
  }
  return found === negated ? undefined : at + 1
}

function literal(pattern: string, at: number): { character: string; next: number } | undefined {
  const place = pattern[at] === '\\' ? at + 1 : at
  const character = pattern[place]
  return character === undefined ? undefined : { character, next: place + 1 }
}
