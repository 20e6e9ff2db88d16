import {
  FencedError,
  type AgentSession,
  type Log,
  type ModelMeter,
  type ModelStop,
  type RunModels,
  type RunRow,
} from '@opencode-gateway/contracts'
import type { KeyedRuns } from '../queue/run-keys.ts'
import type { BudgetAsk } from './budget-ask.ts'
import { quieten } from './quieten.ts'
import type { RunStop } from './run-stop.ts'

export interface RunMeterOptions {
  run: RunRow
  /** Undefined where nobody meters. */
  models: RunModels | undefined
  keyed: Pick<KeyedRuns, 'recall'>
  stop: Pick<RunStop, 'request' | 'detached'>
  /** The run had been sent by a former process. */
  resumed: boolean
  /** How long its agent may take to end what it does, milliseconds. */
  graceMs: number
  log: Log
}

/** The models of one run. Until it begins, for a command, and where nobody meters, nothing is counted. */
export interface RunMeter extends Pick<ModelMeter, 'usage' | 'raise' | 'shared'> {
  /**
   * From now on the run may call models, as far as its limits go. Throws what `RunModels.begin` throws; a resumed run
   * works already, and is ended in its engine then.
   */
  begin(agent: AgentSession, budget: Pick<BudgetAsk, 'budget' | 'reached'>): Promise<void>
  /** The run may call no models any more. Settles when all it used is stored; idempotent. */
  end(): Promise<void>
}

export function createRunMeter({ run, models, keyed, stop, resumed, graceMs, log }: RunMeterOptions): RunMeter {
  let meter: ModelMeter | undefined
  let ended: Promise<void> | undefined

  async function meterOf({ budget, reached }: Pick<BudgetAsk, 'budget' | 'reached'>): Promise<ModelMeter | undefined> {
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
        budget: budget(),
        ...(keyId === undefined ? {} : { keyId }),
        ...(raisableTo === undefined ? {} : { raisableTo }),
        ...(modelOptions === undefined ? {} : { options: modelOptions }),
        ...(resumed ? { resumed } : {}),
      },
      onStop,
      reached,
    )
  }

  return {
    async begin(agent, budget) {
      try {
        meter = await meterOf(budget)
      } catch (error) {
        // Another process has the run, or will have it: what works there is not ours to end.
        if (resumed && !(error instanceof FencedError) && !stop.detached()) await quieten(agent, { graceMs, log })
        throw error
      }
    },
    usage: () => meter?.usage(),
    raise: (budget) => meter?.raise(budget),
    shared: (of, day) => meter?.shared(of, day),
    end: () => (ended ??= meter?.end() ?? Promise.resolve()),
  }
}
