/** Replaces what stands between the markers of this name; throws when they are not there, once and in this order. */
export function replaceMarked(markdown: string, name: string, content: string): string {
  const [before, rest, more] = markdown.split(`<!-- ${name} -->\n`)
  const [, after, second] = rest?.split(`<!-- /${name} -->\n`) ?? []
  if (before === undefined || after === undefined || more !== undefined || second !== undefined) {
    throw new Error(`"<!-- ${name} -->" and "<!-- /${name} -->" must be there once, on lines of their own`)
  }
  return `${before}<!-- ${name} -->\n${content}<!-- /${name} -->\n${after}`
}
