import { GatewayError, type ProviderStore, type Store, type UsageLog } from '@opencode-gateway/contracts'
import { admissionSteps } from './admission.ts'
import type { Disk } from './disk.ts'
import { providerSteps } from './providers.ts'
import { readSteps } from './reads.ts'
import { usageSteps } from './usage.ts'
import { writeSteps } from './writes.ts'

/** The contract in its plainest form, the measure for the suite: every call is one step that nothing comes between. */
export function createMemoryStore(disk: Disk): Store & ProviderStore & UsageLog {
  let open = false
  const steps = {
    ...admissionSteps(disk),
    ...writeSteps(disk),
    ...readSteps(disk),
    ...providerSteps(disk),
    ...usageSteps(disk),
  }
  const calls = Object.entries(steps).map(([name, step]) => [
    name,
    async (...args: unknown[]) => {
      if (!open) throw new GatewayError('STORE_UNAVAILABLE', 'the store is closed')
      // A copy each way: callers and the store share nothing, as over any border.
      return structuredClone((step as (...args: unknown[]) => unknown)(...structuredClone(args)))
    },
  ])
  return {
    ...(Object.fromEntries(calls) as Omit<Store & ProviderStore & UsageLog, 'open' | 'close'>),
    async open() {
      open = true
    },
    async close() {
      open = false
    },
  }
}
