/** Longest literal that is read, in characters. */
const MAX_LENGTH = 4_000_000

/**
 * Reads the object that begins at a place of a minified program: objects, arrays, texts, numbers and booleans, and
 * nothing that would be run. Undefined when it is anything else.
 */
export function readLiteral(source: string, at = 0): unknown {
  const reader = createReader(source, at)
  try {
    return reader.value()
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function createReader(source: string, start: number) {
  let at = start

  const refuse = (): never => {
    throw new SyntaxError(`not a literal at ${at}`)
  }
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(source)?.[0]
    if (found === undefined) return undefined
    at += found.length
    if (at - start > MAX_LENGTH) refuse()
    return found
  }
  const text = (): string | undefined => {
    const quoted = take(/"(?:[^"\\\n]|\\.)*"/y)
    if (quoted !== undefined) return String(JSON.parse(quoted))
    const single = take(/'[^'\\\n]*'/y) ?? take(/`[^`\\$]*`/y)
    return single?.slice(1, -1)
  }
  const list = (): unknown[] => {
    const items: unknown[] = []
    while (take(/\]/y) === undefined) {
      items.push(value())
      if (take(/,/y) === undefined && source[at] !== ']') refuse()
    }
    return items
  }
  const fields = (): Record<string, unknown> => {
    const entries: [string, unknown][] = []
    while (take(/\}/y) === undefined) {
      const name = text() ?? take(/[\w$]+/y) ?? refuse()
      if (take(/:/y) === undefined) refuse()
      entries.push([name, value()])
      if (take(/,/y) === undefined && source[at] !== '}') refuse()
    }
    return Object.fromEntries(entries)
  }
  const value = (): unknown => {
    if (take(/\{/y) !== undefined) return fields()
    if (take(/\[/y) !== undefined) return list()
    const truth = take(/![01]|true|false/y)
    if (truth !== undefined) return truth === '!0' || truth === 'true'
    if (take(/null\b/y) !== undefined) return null
    const digits = take(/-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/iy)
    return digits === undefined ? (text() ?? refuse()) : Number(digits)
  }
  return { value }
}
