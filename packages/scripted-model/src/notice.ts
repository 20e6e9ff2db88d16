const MAX_QUOTE = 200

export const DEFAULT_SETUP_HINT =
  'For real answers, set the API key of a provider (for example ANTHROPIC_API_KEY or OPENAI_API_KEY) and start again.'

/** The answer to a prompt that is no script. */
export function writeNotice(prompt: string, setupHint: string): string {
  const line = prompt.trimStart().split('\n', 1)[0] ?? ''
  const quote = line.length > MAX_QUOTE ? `${line.slice(0, MAX_QUOTE)}…` : line
  return [
    `Hello! You said: "${quote}"`,
    '',
    'I am the scripted model: no model provider is configured, so I cannot think, but everything around me is real.',
    setupHint,
    'Until then I do what a prompt scripts, one step per line, for example:',
    '',
    'write: hello.txt | Hello from the agent',
    'run: cat hello.txt',
    'say: Done.',
  ].join('\n')
}
