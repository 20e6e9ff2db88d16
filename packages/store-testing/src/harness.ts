import type { ProviderStore, Store, UsageLog } from '@opencode-gateway/contracts'

/** All that a store keeps. */
export type WholeStore = Store & ProviderStore & UsageLog

/** One store and what it keeps, made for one case. */
export interface StoreHarness {
  /** Open and empty. */
  readonly store: WholeStore
  /** Closes the store and gives another one, open, on what it kept. */
  reopen(): Promise<WholeStore>
  /** Gives another store, open, on what a killed process would have left at this moment; the old one is not closed first. */
  crash(): Promise<WholeStore>
  /** Closes what is open and removes what was kept. */
  dispose(): Promise<void>
}

export interface StoreCase {
  /** A sentence about what a store does. */
  readonly name: string
  run(harness: StoreHarness): Promise<void>
}

export interface StoreCaseGroup {
  readonly name: string
  readonly cases: readonly StoreCase[]
}

/** Makes the sentences of a group into cases. */
export function group(name: string, cases: Readonly<Record<string, StoreCase['run']>>): StoreCaseGroup {
  return { name, cases: Object.entries(cases).map(([name, run]) => ({ name, run })) }
}
