import type { AgentEvent, RunOutcome } from '@opencode-gateway/contracts'
import { withEachItem, withInput, withItems, withOutcome, type Broken } from './meddle.ts'

const late: AgentEvent = { type: 'output', data: { type: 'text', text: 'late', part_id: 'late' } }

const hasty: RunOutcome = {
  status: 'completed',
  finalMessage: '',
  usage: {
    tokens: { input: 0, output: 0, reasoning: 0, cache_read: 0, cache_write: 0 },
    cost_usd: null,
    model_calls: 1,
  },
  evidence: { checks: ['session_idle'], checked_at: '2026-01-01T00:00:00.000Z' },
}

function completed(outcome: RunOutcome): RunOutcome {
  const { error: _, ...rest } = outcome
  return { ...rest, status: 'completed' }
}

/** Takes an item of this type for the end. */
function overAfter(type: AgentEvent['type']): Broken['breakIt'] {
  return (fake) =>
    withItems(fake, async function* changed(items) {
      for await (const item of items) {
        yield item
        if (item.type === type) break
      }
      yield { type: 'outcome', outcome: hasty }
    })
}

export const brokenEndings: readonly Broken[] = [
  {
    name: 'two outcomes',
    breakIt: (fake) => withEachItem(fake, (item) => (item.type === 'outcome' ? [item, item] : [item])),
    noticed: {
      'an answered prompt ends with exactly one outcome, the last item': /exactly one outcome/,
      'a command ends with exactly one outcome, the last item': /exactly one outcome/,
    },
  },
  {
    name: 'no outcome',
    breakIt: (fake) => withEachItem(fake, (item) => (item.type === 'outcome' ? [] : [item])),
    noticed: { 'an answered prompt ends with exactly one outcome, the last item': /exactly one outcome/ },
  },
  {
    name: 'an event after the outcome',
    breakIt: (fake) => withEachItem(fake, (item) => (item.type === 'outcome' ? [item, late] : [item])),
    noticed: { 'an answered prompt ends with exactly one outcome, the last item': /the outcome is the last item/ },
  },
  {
    name: 'a failure that throws instead of being an outcome',
    breakIt: (fake) =>
      withEachItem(fake, (item) => {
        if (item.type === 'outcome' && item.outcome.status === 'failed') throw new Error('model error')
        return [item]
      }),
    noticed: { 'a failed prompt ends with exactly one outcome, the last item': /threw instead of ending/ },
  },
  {
    name: 'a failure that is swallowed and reported as completed',
    breakIt: (fake) => withOutcome(fake, completed),
    noticed: {
      'refused credentials fail the run with MODEL_AUTH, not to be retried': /failed/,
      'a refused request fails the run with MODEL_ERROR': /failed/,
      'a failure after a tool step is a failed run': /failed/,
      'a model that the engine does not know fails the run': /failed/,
      'an answer that the provider withheld is not completed': /completed/,
      'a model that never says that it is done does not complete': /completed/,
      'a killed command has no exit code and is not completed': /completed/,
      'a run is cancelled before its first text': /cancelled/,
      'releasing a session at work stops its run': /completed/,
      'a run that fails unseen is told as failed': /completed/,
      'a run that was cancelled unseen is told as stopped': /completed/,
      'a run that the engine never saw is interrupted, and not begun': /completed/,
    },
  },
  {
    name: 'a failing tool that fails the run',
    breakIt: (fake) =>
      withItems(fake, async function* changed(items) {
        let failing = false
        for await (const item of items) {
          failing ||= item.type === 'tool_result' && item.data.status === 'error'
          const error = { code: 'RUN_FAILED', message: 'a tool failed', retryable: true } as const
          if (item.type === 'outcome' && failing)
            yield { ...item, outcome: { ...item.outcome, status: 'failed', error } }
          else yield item
        }
      }),
    noticed: {
      'a prompt with failing tools ends with exactly one outcome, the last item': /failed/,
      'a failing tool is a result with an error, not a failed run': /a tool failed/,
    },
  },
  {
    name: 'a run that is over with its first tool step',
    breakIt: overAfter('tool_result'),
    noticed: { 'a finished tool step does not end the run': /waited for a model call at the gate/ },
    hangs: true,
  },
  {
    name: 'a verdict without evidence',
    breakIt: (fake) => withOutcome(fake, (outcome) => ({ ...outcome, evidence: { ...outcome.evidence, checks: [] } })),
    noticed: { 'a completed run tells what the verdict rests on': /no checks/ },
  },
  {
    name: 'an outcome with a count below zero',
    breakIt: (fake) => withOutcome(fake, (outcome) => ({ ...outcome, usage: { ...outcome.usage, model_calls: -1 } })),
    noticed: { 'every event and the outcome have the shape of the contract': /the usage: \/model_calls/ },
  },
  {
    name: 'a wrong exit code',
    breakIt: (fake) => withOutcome(fake, (outcome) => ({ ...outcome, exitCode: 1 })),
    noticed: {
      'the exit code of "true" is 0': /1 !== 0/,
      'the exit code of "echo x; exit 3" is 3': /1 !== 3/,
      'the exit code of "no-such-command-anywhere" is 127': /1 !== 127/,
      'the exit code of "false || exit 255" is 255': /1 !== 255/,
      'a command may have several lines, and its last exit code counts': /1 !== 4/,
    },
  },
  {
    name: 'an ask that nobody ends',
    breakIt: (fake) =>
      withInput(fake, (input) =>
        input.kind === 'prompt' ? { ...input, prompt: input.prompt.replace(/^question:.*$/m, 'hang') } : input,
      ),
    noticed: {
      'a question that nobody is there to answer is not asked, and holds nothing up': /waited for its end or an ask/,
    },
    hangs: true,
  },
  {
    name: 'a run that is over with its first tool call',
    breakIt: overAfter('tool_call'),
    noticed: { 'a run whose sub-agent is still at work has not ended': /waited for a model call at the gate/ },
    hangs: true,
  },
  {
    name: 'a run that is over with its first model call',
    breakIt: overAfter('usage'),
    noticed: { 'an answer that ends with tool calls and has none is not the last word': /the final message/ },
  },
  {
    name: 'a conversation that is too long and given up',
    breakIt: (fake) =>
      withInput(fake, (input) =>
        input.kind === 'prompt'
          ? { ...input, prompt: input.prompt.replace(/^overflow$/m, 'error: 400 too long') }
          : input,
      ),
    noticed: {
      'a conversation that grew too long and was summed up is completed with the real answer': /not completed/,
    },
  },
  {
    name: 'a verdict that does not say how the answer ended',
    breakIt: (fake) =>
      withOutcome(fake, (outcome) => ({ ...outcome, evidence: { ...outcome.evidence, finish_reason: 'stop' } })),
    noticed: {
      'an answer cut off at the length limit is completed, and the evidence says so': /stop/,
      'a refusal fails the tool and stops the agent, which is no completed run': /tool-calls/,
    },
  },
]
