import { withSessions, type Broken } from './meddle.ts'

export const brokenSteering: readonly Broken[] = [
  {
    name: 'words to the agent that are lost',
    breakIt: (fake) => withSessions(fake, () => ({ steer: async () => {} })),
    noticed: { 'what the agent is told while it works reaches the model in the same run': /wrapped up/ },
  },
  {
    name: 'words to the agent that are kept for the next run',
    breakIt: (fake) =>
      withSessions(fake, (session) => {
        const kept: string[] = []
        return {
          async steer(text) {
            kept.push(text)
          },
          run: (input, ctx) =>
            session.run(
              input.kind === 'prompt' ? { ...input, prompt: [...kept.splice(0), input.prompt].join('\n') } : input,
              ctx,
            ),
        }
      }),
    noticed: { 'telling an idle agent something begins no run and is no part of the next': /too late/ },
  },
]
