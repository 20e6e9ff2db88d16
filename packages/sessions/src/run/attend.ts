import type { AgentEvent, AgentEventBody, AgentSession, Log, RunPatch, RunRow } from '@opencode-gateway/contracts'
import type { Asks } from './asks.ts'
import { startDeadlines } from './deadlines.ts'
import type { EventWriter } from './event-writer.ts'
import { orGiveUp } from '../waiting/give-up.ts'
import { modelTrouble } from './model-limits.ts'
import { createOutputBudget } from './output-budget.ts'
import type { RunMeter } from './run-meter.ts'
import type { RunStop } from './run-stop.ts'
import type { RunWatch } from './run-watch.ts'
import type { Ending } from './ending.ts'

export interface AttendOptions {
  run: RunRow
  agent: AgentSession
  events: AsyncIterable<AgentEvent>
  asks: Asks
  meter: Pick<RunMeter, 'usage'>
  stop: RunStop
  watch: RunWatch
  writer: EventWriter
  log: Log
  maxOutputBytes: number
  graceMs: number
  onFirstEvent(): void
  /** A tool has done something. */
  onStep(): void
}

/** The share of the wall limit after which the agent is told to wrap up. */
const wrapUpAt = 2 / 3

/** Takes the events of a run into the log until it has ended, and sees to its limits meanwhile. */
export async function attend(options: AttendOptions): Promise<Ending> {
  const { run, asks, stop, watch, writer, graceMs } = options
  const withinBudget = createOutputBudget(options.maxOutputBytes)
  const events = options.events[Symbol.asyncIterator]()
  const startedAt = run.promptedAt ?? Date.now()
  using deadlines = startDeadlines({ startedAt, wallMs: run.limits.wallMs, idleMs: run.limits.idleMs }, (kind) =>
    stop.request({ kind }),
  )
  using _wrapUp = remindToWrapUp(options, startedAt)
  asks.onWaiting((waiting) => deadlines.setWaiting(waiting))
  deadlines.setWaiting(asks.waiting())
  for (let first = true; ; first = false) {
    const item = await orGiveUp(events.next(), stop.working, graceMs)
    if (item === 'given up' || item.done === true) return { kind: 'stopped' }
    // A container may have come with the work.
    if (first) watch.booted(options.agent.boot?.())
    if (item.value.type === 'outcome') {
      const { outcome } = item.value
      // Lets the executor finish what it does after the last event.
      await orGiveUp(events.next(), stop.working, graceMs)
      return { kind: 'outcome', outcome }
    }
    deadlines.touch()
    const limits = { maxModelCalls: run.limits.modelCalls, remainingMs: deadlines.remainingMs() }
    const told = metered(item.value)
    const trouble = modelTrouble(told, limits, Date.now())
    if (trouble) stop.request(trouble)
    const { event, patch } = take(told)
    if (event) await writer.add(event, patch)
    if (first) options.onFirstEvent()
    if (event?.type === 'tool_result') options.onStep()
  }

  /** What was counted on the way to the provider knows more calls than the engine tells of. */
  function metered(told: AgentEventBody): AgentEventBody {
    const usage = told.type === 'usage' ? options.meter.usage() : undefined
    return usage === undefined ? told : { type: 'usage', data: usage }
  }

  function take(told: AgentEventBody): { event: AgentEventBody | undefined; patch: RunPatch | undefined } {
    const seen = asks.saw(told)
    const patch = { ...watch.saw(seen.event), ...seen.patch }
    return { event: withinBudget(seen.event), patch: Object.keys(patch).length > 0 ? patch : undefined }
  }
}

function remindToWrapUp({ run, agent, stop, log }: AttendOptions, startedAt: number): Disposable {
  const { wrapUp, wallMs } = run.limits
  if (wrapUp === undefined) return { [Symbol.dispose]() {} }
  const inMs = startedAt + wallMs * wrapUpAt - Date.now()
  const timer = setTimeout(
    () => {
      agent
        .steer(wrapUp, { signal: stop.working, log })
        .catch((err: unknown) => log.warn({ err }, 'the agent could not be told to wrap up'))
    },
    Math.max(0, inMs),
  )
  return { [Symbol.dispose]: () => clearTimeout(timer) }
}
