import type { ModelBudget, ModelMeter, ModelStop, ReachedLimit, RunModels, RunRow } from '@opencode-gateway/contracts'
import type { KeyedRuns } from '../queue/run-keys.ts'
import type { RunStop } from './run-stop.ts'

export interface BeginMeterOptions {
  run: RunRow
  models: RunModels | undefined
  keyed: Pick<KeyedRuns, 'recall'>
  stop: Pick<RunStop, 'request'>
  /** The run had been sent by a former process. */
  resumed: boolean
  /** As it has been raised by now. */
  budget: ModelBudget
  /** Calls wait at a limit; undefined: none does any more. */
  onLimit(reached: ReachedLimit | undefined): void
}

/** From now on the run may call models, as far as its limits go. Undefined for a command, and where nobody meters. */
export async function beginMeter(options: BeginMeterOptions): Promise<ModelMeter | undefined> {
  const { run, models, keyed, stop, resumed, budget, onLimit } = options
  if (run.input.kind !== 'prompt') return undefined
  const { runId, sessionId, tenant } = run
  const { raisableTo, keyId } = run.limits
  const { modelOptions } = run.input
  if (modelOptions?.keyed) await keyed.recall(run)
  const onStop = (why: ModelStop): void => stop.request({ kind: 'model', ...why })
  return await models?.begin(
    {
      runId,
      sessionId,
      tenant,
      budget,
      ...(keyId === undefined ? {} : { keyId }),
      ...(raisableTo === undefined ? {} : { raisableTo }),
      ...(modelOptions === undefined ? {} : { options: modelOptions }),
      ...(resumed ? { resumed } : {}),
    },
    onStop,
    onLimit,
  )
}
