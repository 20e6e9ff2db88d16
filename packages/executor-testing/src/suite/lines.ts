/** Lines of the scripted model's language. A case joins them with newlines to a prompt. */
export const lines = {
  /** Several texts are joined by a newline. */
  say: (text: string) => `say: ${escapeText(text)}`,
  think: (text: string) => `think: ${escapeText(text)}`,
  slow: (count: number, delayMs: number) => `slow: ${count} x ${delayMs}`,
  long: (bytes: number) => `long: ${bytes}`,
  echo: (field: 'system' | 'model') => `echo: ${field}`,
  usage: (input: number, output: number) => `usage: ${input} ${output}`,
  /** Waits until the gate is released. */
  gate: (name: string) => `gate: ${name}`,
  write: (path: string, content: string) => `write: ${escapeText(path)} | ${escapeText(content)}`,
  read: (path: string) => `read: ${escapeText(path)}`,
  run: (command: string) => `tool: bash ${JSON.stringify({ command })}`,
  todo: (...items: readonly string[]) => `todo: ${items.map((item) => escapeText(item)).join(' | ')}`,
  /** A sub-agent with a script of its own. */
  task: (...steps: readonly string[]) => `task: ${escapeText(steps.join('\n'))}`,
  question: (text: string) => `question: Choice | ${escapeText(text)} | yes | no`,
  tool: (name: string, args: unknown) => `tool: ${name} ${JSON.stringify(args)}`,
  /** Calls it together with the tool line before. */
  together: (line: string) => `+ ${line}`,
  finish: (reason: string) => `finish: ${reason}`,
  /** The model is called again and again, since no answer says that it is the last. */
  endless: () => 'loop: nofinish',
  error: (status: number, options = '') => `error: ${status} ${options}`.trimEnd(),
  /** The conversation is too long, once. */
  overflow: () => 'overflow',
  /** The connection breaks here, once. */
  drop: () => 'drop',
  /** What came before is sent, then nothing more. */
  hang: () => 'hang',
  /** Not even an answer begins. */
  silence: () => 'hangbefore',
} as const

function escapeText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t').replaceAll('|', '\\|')
}
