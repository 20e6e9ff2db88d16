import type { AgentEvent } from '@opencode-gateway/contracts'
import { withEachItem, withInput, withItems, withOutcome, type Broken } from './meddle.ts'

const isText = (item: AgentEvent): boolean => item.type === 'output' && item.data.type === 'text'

/** Changes every second delta of a text. */
function everySecond(change: (item: AgentEvent) => readonly AgentEvent[]): Broken['breakIt'] {
  return (fake) =>
    withItems(fake, async function* changed(items) {
      let count = 0
      for await (const item of items) {
        if (isText(item)) count += 1
        yield* isText(item) && count % 2 === 0 ? change(item) : [item]
      }
    })
}

export const brokenContents: readonly Broken[] = [
  {
    name: 'a lost delta',
    breakIt: everySecond(() => []),
    noticed: {
      'the deltas of all text, joined in order, are the final message': /the deltas are what the model wrote/,
      'a long answer of many deltas arrives whole': /length of all deltas/,
      'awkward characters arrive as they are': /Expected values/,
    },
  },
  {
    name: 'a duplicated delta',
    breakIt: everySecond((item) => [item, item]),
    noticed: {
      'the deltas of all text, joined in order, are the final message': /the deltas are what the model wrote/,
    },
  },
  {
    name: 'events that come all at the end',
    breakIt: (fake) =>
      withItems(fake, async function* changed(items) {
        const held: AgentEvent[] = []
        for await (const item of items) held.push(item)
        yield* held
      }),
    noticed: {
      'text arrives while the model is still writing': /waited for text with "before"/,
      'a command tells its output while it runs, and can be cancelled then': /waited for stdout with "begun"/,
    },
    hangs: true,
  },
  {
    name: 'tool results without their calls',
    breakIt: (fake) => withEachItem(fake, (item) => (item.type === 'tool_call' ? [] : [item])),
    noticed: { 'every tool call has one result, which comes after it': /has no open call/ },
  },
  {
    name: 'tool calls without their results',
    breakIt: (fake) => withEachItem(fake, (item) => (item.type === 'tool_result' ? [] : [item])),
    noticed: { 'every tool call has one result, which comes after it': /calls without a result/ },
  },
  {
    name: 'reasoning that is told as text',
    breakIt: (fake) =>
      withEachItem(fake, (item) =>
        item.type === 'output' ? [{ ...item, data: { ...item.data, type: 'text' } }] : [item],
      ),
    noticed: { 'a part has one kind, and reasoning is no part of the final message': /pondering/ },
  },
  {
    name: 'retries that withdraw nothing',
    breakIt: (fake) =>
      withEachItem(fake, (item) => {
        if (item.type !== 'retry') return [item]
        const { withdrawn_parts: _, ...data } = item.data
        return [{ ...item, data }]
      }),
    noticed: {
      'text that a retry withdraws is said, and is not in the final message': /only once/,
      'what a stream had said before it broke is named as withdrawn, and nothing else is': /withdrawn parts/,
    },
  },
  {
    name: 'retries that are kept secret',
    breakIt: (fake) => withEachItem(fake, (item) => (item.type === 'retry' ? [] : [item])),
    noticed: {
      'a model call that fails in passing is told as a retry': /a retry event/,
    },
  },
  {
    name: 'retries that nobody hears of before they are over',
    breakIt: (fake) => withEachItem(fake, (item) => (item.type === 'retry' ? [] : [item])),
    noticed: { 'a run is cancelled while the engine waits to call the model again': /waited for a retry/ },
    hangs: true,
  },
  {
    name: 'events that no client can read',
    breakIt: (fake) =>
      withEachItem(fake, (item) =>
        item.type === 'tool_result' ? [{ ...item, data: { ...item.data, duration_ms: 0.5 } }] : [item],
      ),
    noticed: { 'every event and the outcome have the shape of the contract': /tool_result: \/duration_ms/ },
  },
  {
    name: 'files that are not told',
    breakIt: (fake) => withEachItem(fake, (item) => (item.type === 'file' ? [] : [item])),
    noticed: { 'a written file is told by its path, and holds what was written': /note.txt/ },
  },
  {
    name: 'edits that are not carried out',
    breakIt: (fake) =>
      withInput(fake, (input) =>
        input.kind === 'prompt' ? { ...input, prompt: input.prompt.replace(/^tool: edit.*$/m, 'run: true') } : input,
      ),
    noticed: { 'an edited file holds the edit': /Expected values/ },
  },
  {
    name: "exit codes of the agent's commands that are left out",
    breakIt: (fake) =>
      withEachItem(fake, (item) =>
        item.type === 'tool_result'
          ? [{ ...item, data: { ...item.data, result: { output: item.data.result.output } } }]
          : [item],
      ),
    noticed: { "the result of the agent's command has its output and its exit code": /undefined !== 3/ },
  },
  {
    name: 'a list of things to do that has only what is new',
    breakIt: (fake) =>
      withEachItem(fake, (item) =>
        item.type === 'todo' ? [{ ...item, data: { todos: item.data.todos.slice(-1) } }] : [item],
      ),
    noticed: { 'the list of things to do is told whole': /plan/ },
  },
  {
    name: 'usage of the last model call alone',
    breakIt: (fake) => withOutcome(fake, (outcome) => ({ ...outcome, usage: { ...outcome.usage, model_calls: 1 } })),
    noticed: {
      'usage is the sum of all model calls': /1 !== 2/,
      'what sub-agents cost counts, and what they say is not what the run says': /Expected values/,
    },
  },
  {
    name: 'options that are dropped on the way',
    breakIt: (fake) =>
      withInput(fake, (input) => {
        if (input.kind === 'shell') return input
        const { model: _, systemPrompt: __, outputSchema: ___, ...rest } = input
        return rest
      }),
    noticed: {
      'the system prompt reaches the model': /marker/,
      'an answer to a schema is there as a value': /undefined/,
      'a model that the engine does not know fails the run': /completed/,
    },
  },
  {
    name: 'commands that are quoted once too often',
    breakIt: (fake) =>
      withInput(fake, (input) =>
        input.kind === 'shell' ? { ...input, command: input.command.replaceAll('"', '').replaceAll('\n', ' ') } : input,
      ),
    noticed: {
      'quotes, dollars, backticks, newlines and unicode reach the command as they are': /Expected values/,
      'a command may have several lines, and its last exit code counts': /Expected values/,
    },
  },
  {
    name: 'standard error that is told as standard output',
    breakIt: (fake) =>
      withEachItem(fake, (item) =>
        item.type === 'output' && item.data.type === 'stderr'
          ? [{ ...item, data: { ...item.data, type: 'stdout' } }]
          : [item],
      ),
    noticed: { 'standard output and standard error are told apart': /err/ },
  },
  {
    name: 'output that is cut off in silence',
    breakIt: (fake) =>
      withEachItem(fake, (item) => {
        if (item.type !== 'output') return [item]
        const { truncated: _, ...data } = item.data
        return [{ ...item, data }]
      }),
    noticed: {
      'output beyond the bound is cut off and says so, and the command goes on to its end': /says that it was cut off/,
    },
  },
  {
    name: 'a final message for a command that said nothing',
    breakIt: (fake) =>
      withOutcome(fake, (outcome) => ({ ...outcome, finalMessage: outcome.finalMessage || '(no output)' })),
    noticed: { 'a command without output has an empty final message': /no output/ },
  },
]
