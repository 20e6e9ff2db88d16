import type { ModelMeter, ModelStop, RunModels, RunRow } from '@opencode-gateway/contracts'
import type { KeyedRuns } from './run-keys.ts'
import type { RunStop } from './run-stop.ts'

export interface BeginMeterOptions {
  run: RunRow
  models: RunModels | undefined
  keyed: Pick<KeyedRuns, 'recall'>
  stop: Pick<RunStop, 'request'>
  /** The run had been sent by a former process. */
  resumed: boolean
}

/** From now on the run may call models, as far as its limits go. Undefined for a command, and where nobody meters. */
export async function beginMeter({
  run,
  models,
  keyed,
  stop,
  resumed,
}: BeginMeterOptions): Promise<ModelMeter | undefined> {
  if (run.input.kind !== 'prompt') return undefined
  const { runId, sessionId, tenant } = run
  const { budget = {} } = run.limits
  const { modelOptions } = run.input
  if (modelOptions?.keyed) await keyed.recall(run)
  const onStop = (why: ModelStop): void => stop.request({ kind: 'model', ...why })
  return await models?.begin(
    {
      runId,
      sessionId,
      tenant,
      budget,
      ...(modelOptions === undefined ? {} : { options: modelOptions }),
      ...(resumed ? { resumed } : {}),
    },
    onStop,
  )
}
