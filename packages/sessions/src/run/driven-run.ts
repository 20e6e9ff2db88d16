import type { CancelReceipt, GatewayError, RunRow } from '@opencode-gateway/contracts'
import type { Answer, Answerer } from './asks.ts'
import type { Stop } from './ending.ts'

/** A run at work in this process. */
export interface DrivenRun {
  readonly run: RunRow
  /** Stops the run; settles when it has ended. The first reason counts. */
  stop(stop: Stop): Promise<CancelReceipt | undefined>
  /** Hands a client's answer to whoever waits for it. */
  answer(askId: string, answer: Answer, by?: Answerer): Promise<void>
  /** Lets go without stopping it; the store keeps its state. */
  detach(): void
  readonly settled: Promise<Settlement>
}

/** `retry`: nothing had reached the engine and trying again may help. `lost`: its state could not be written. */
export type Settlement =
  | { kind: 'ended' }
  | { kind: 'detached' }
  | { kind: 'retry'; error: GatewayError }
  | { kind: 'lost' }
