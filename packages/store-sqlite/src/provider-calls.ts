import type { ProviderRow, ProviderStore, ProviderVersion } from '@opencode-gateway/contracts'
import { bounded } from './append-rules.ts'
import type { ProviderRecord, ProviderVersionRecord } from './sql/providers.ts'
import type { StoreThread } from './store-thread.ts'

/** The part of the store that keeps provider configurations. */
export function providerCalls(call: StoreThread['call']): ProviderStore {
  return {
    async putProvider(write, limits) {
      const result = await call('putProvider', write, limits)
      return result.status === 'written' ? { ...result, provider: toProvider(result.provider) } : result
    },
    async getProvider(tenant, name) {
      const record = await call('getProvider', tenant, name)
      return record && toProvider(record)
    },
    async getDefaultProvider(tenant) {
      const record = await call('getDefaultProvider', tenant)
      return record && toProvider(record)
    },
    async listProviders(query) {
      return (await call('listProviders', { ...query, limit: bounded(query.limit) })).map(toProvider)
    },
    async listProviderVersions(tenant, name, limit) {
      return (await call('listProviderVersions', tenant, name, bounded(limit))).map(toVersion)
    },
    deleteProvider: (tenant, name, expected) => call('deleteProvider', tenant, name, expected),
    listSealedKeys: async (limit, after) => call('listSealedKeys', bounded(limit), after),
    resealKey: (key, sealedKey) => call('resealKey', key, sealedKey),
  }
}

function toVersion({ endpoint, model, sealedKey, restoredFrom, ...rest }: ProviderVersionRecord): ProviderVersion {
  return {
    ...rest,
    endpoint: endpoint ?? undefined,
    model: model ?? undefined,
    sealedKey: sealedKey ?? undefined,
    restoredFrom: restoredFrom ?? undefined,
  }
}

function toProvider({ isDefault, createdAt, ...version }: ProviderRecord): ProviderRow {
  return { ...toVersion(version), createdAt, isDefault: isDefault === 1 }
}
