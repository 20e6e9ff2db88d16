import { GatewayError, type ProviderStore, type Store } from '@opencode-gateway/contracts'
import { admissionSteps } from './admission.ts'
import type { Disk } from './disk.ts'
import { providerSteps } from './providers.ts'
import { readSteps } from './reads.ts'
import { writeSteps } from './writes.ts'

/** The contract in its plainest form, the measure for the suite: every call is one step that nothing comes between. */
export function createMemoryStore(disk: Disk): Store & ProviderStore {
  let open = false
  const steps = { ...admissionSteps(disk), ...writeSteps(disk), ...readSteps(disk), ...providerSteps(disk) }
  const calls = Object.entries(steps).map(([name, step]) => [
    name,
    async (...args: unknown[]) => {
      if (!open) throw new GatewayError('STORE_UNAVAILABLE', 'the store is closed')
      // A copy each way: callers and the store share nothing, as over any border.
      return structuredClone((step as (...args: unknown[]) => unknown)(...structuredClone(args)))
    },
  ])
  return {
    ...(Object.fromEntries(calls) as Omit<Store & ProviderStore, 'open' | 'close'>),
    async open() {
      open = true
    },
    async close() {
      open = false
    },
  }
}
