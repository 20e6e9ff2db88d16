/** JSON Schema as far as it is read here. */
interface Shape {
  $ref?: string
  properties?: Readonly<Record<string, Shape>>
  type?: unknown
}

type Read = (text: string) => number | boolean | undefined

const WHOLE = /^-?\d{1,15}$/
const DECIMAL = /^-?\d{1,15}(\.\d{1,15})?$/

/** How the values of a type are written in a URL: in decimal and nothing else, so that everybody reads the same. */
const READERS: ReadonlyMap<unknown, Read> = new Map<unknown, Read>([
  ['integer', (text) => (WHOLE.test(text) ? Number(text) : undefined)],
  ['number', (text) => (DECIMAL.test(text) ? Number(text) : undefined)],
  ['boolean', (text) => (text === 'true' ? true : text === 'false' ? false : undefined)],
])

/**
 * Makes a function that puts numbers and booleans in the place of the text a URL has for them. What is written in
 * another way stays text, which the schema then refuses.
 */
export function textReader(
  schema: Shape,
  named: Readonly<Record<string, Shape>>,
): (values: Record<string, unknown>) => void {
  const { properties = {} } = schema.$ref === undefined ? schema : (named[schema.$ref.replace(/#$/, '')] ?? {})
  const readers = Object.entries(properties).flatMap(([name, { type }]) => {
    const read = READERS.get(type)
    return read === undefined ? [] : [{ name, read }]
  })
  return (values) => {
    for (const { name, read } of readers) {
      const value = values[name]
      if (typeof value === 'string') values[name] = read(value) ?? value
    }
  }
}
