import type { PromptInput, RunOutcome } from '@opencode-gateway/contracts'
import { completed, failed } from './outcomes.ts'
import { createSubagentOutput } from './subagent-output.ts'
import { playTurns, type TurnsEnding, type TurnsOptions } from './play-turns.ts'
import type { ToolEnding } from './play-tools.ts'
import type { Stage } from './stage.ts'

export interface PromptLimits {
  /** The run fails with MODEL_LOOP beyond; a sub-agent has as many of its own. */
  readonly maxModelCalls: number
  /** "provider/model" the fake knows; absent: any. */
  readonly models: readonly string[] | undefined
}

/** Plays a prompt to its end. */
export async function playPrompt(input: PromptInput, stage: Stage, limits: PromptLimits): Promise<RunOutcome> {
  const { output } = stage
  const { maxModelCalls } = limits
  if (input.model !== undefined && limits.models?.includes(input.model) === false) {
    return failed(output, 'MODEL_NOT_FOUND', `The fake does not know the model "${input.model}".`)
  }
  let callCount = 0
  const common: Pick<TurnsOptions, 'input' | 'maxModelCalls' | 'nextCallId'> = {
    input,
    maxModelCalls,
    nextCallId() {
      callCount += 1
      return `${input.runId}-call-${callCount}`
    },
  }
  const ending = await playTurns(input.prompt, stage, {
    ...common,
    playTask: (prompt) => playTask(prompt, stage, common),
  })
  return judge(ending, input, stage)
}

function judge(ending: TurnsEnding, { outputSchema }: PromptInput, { output }: Stage): RunOutcome {
  if (ending.kind === 'failed') return failed(output, ending.code, ending.message, ending.finishReason)
  const { finishReason, structured } = ending
  if (structured !== undefined) return completed(output, { finishReason, structured })
  if (finishReason === 'content_filter') return failed(output, 'CONTENT_FILTERED', 'The answer was withheld.')
  if (outputSchema) return failed(output, 'OUTPUT_INVALID', 'The model did not produce structured output.')
  return completed(output, { finishReason })
}

/** A sub-agent: its answer is the tool's, its words are not the run's, and it has no sub-agents of its own. */
async function playTask(prompt: string, parent: Stage, options: Omit<TurnsOptions, 'playTask'>): Promise<ToolEnding> {
  const { outputSchema: _, ...input } = options.input
  const stage: Stage = { ...parent, output: createSubagentOutput(input.runId, parent.output), steers: [] }
  const playTask = async (): Promise<ToolEnding> => ({ status: 'error', output: 'a sub-agent has no tool "task"' })
  parent.crew.subagents += 1
  try {
    const ending = await playTurns(prompt, stage, { ...options, input, playTask })
    if (ending.kind === 'failed') return { status: 'error', output: ending.message }
    return { status: 'completed', output: stage.output.finalMessage() }
  } finally {
    parent.crew.subagents -= 1
  }
}
