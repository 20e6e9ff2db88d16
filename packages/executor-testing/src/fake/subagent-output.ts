import { createRunOutput, type RunOutput } from './run-output.ts'

/** What a run is told of its sub-agents. */
const TOLD: ReadonlySet<string> = new Set(['ask', 'ask_resolved', 'file', 'retry'])

/** The words of a sub-agent stay its own; what it costs, asks and changes is the run's. */
export function createSubagentOutput(runId: string, run: RunOutput): RunOutput {
  const own = createRunOutput({ runId, model: undefined, maxOutputBytes: 0, changed() {} })
  return {
    ...own,
    push(event) {
      if (TOLD.has(event.type)) run.push(event)
    },
    withdraw() {
      own.withdraw()
      return []
    },
    endCall(tokens) {
      own.endCall(tokens)
      run.endCall(tokens)
    },
    usage: () => run.usage(),
  }
}
