export interface CodeBlock {
  /** What stands behind the opening fence: the language, and words of our own. */
  info: string
  text: string
}

/** The fenced blocks of a page, in order. */
export function codeBlocks(markdown: string): readonly CodeBlock[] {
  return [...markdown.matchAll(/^```([^\n]*)\n(.*?)^```$/gms)].map(([, info = '', text = '']) => ({ info, text }))
}

/** The commands of a block: its lines, joined where one ends with a backslash. */
export function commandsOf({ text }: CodeBlock): readonly string[] {
  return text
    .trimEnd()
    .split(/(?<!\\)\n/)
    .filter((command) => command.trim() !== '' && !command.startsWith('#'))
}

/** The cells of the table whose head begins with this cell; throws when there is none. */
export function tableOf(markdown: string, firstHead: string): readonly (readonly string[])[] {
  const lines = markdown.split('\n')
  const head = lines.findIndex((line) => line.startsWith(`| ${firstHead} |`))
  if (head < 0) throw new Error(`there is no table with "${firstHead}" first`)
  const rest = lines.slice(head + 2)
  const end = rest.findIndex((line) => !line.startsWith('|'))
  return rest.slice(0, end).map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  )
}

/** Targets of the links that stay inside the repository, without their anchors. */
export function relativeLinks(markdown: string): readonly string[] {
  const targets = [...markdown.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target.split('#')[0] ?? '')
  return targets.filter((target) => target !== '' && !/^[a-z]+:/.test(target))
}
