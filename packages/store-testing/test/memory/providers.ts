import type { ProviderRow, ProviderStore } from '@opencode-gateway/contracts'
import { limited, type Disk, type Steps } from './disk.ts'

export function providerSteps(disk: Disk): Pick<Steps, keyof ProviderStore> {
  const named = (tenant: string, name: string): ProviderRow[] =>
    disk.providers.filter((row) => row.tenant === tenant && row.name === name)
  const newest = (tenant: string): ProviderRow[] => {
    const rows = disk.providers.filter((row) => row.tenant === tenant)
    return rows.filter((row) => named(tenant, row.name).at(-1) === row).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }
  const remove = (gone: (row: ProviderRow) => boolean): void => {
    disk.providers = disk.providers.filter((row) => !gone(row))
  }

  return {
    putProvider(write, { maxProviders, keptVersions }) {
      const { tenant, name, providerId, version, writtenAt } = write
      const before = named(tenant, name).at(-1)
      if (version - 1 !== (before?.version ?? 0) || (before && before.providerId !== providerId))
        return { status: 'moved' }
      const count = newest(tenant).length
      if (!before && count >= maxProviders) return { status: 'too_many', count }
      if (write.isDefault) for (const row of newest(tenant)) row.isDefault = false
      const provider = { ...write, createdAt: before?.createdAt ?? writtenAt }
      disk.providers.push(provider)
      remove((row) => row.providerId === providerId && row.version <= version - keptVersions)
      return { status: 'written', provider }
    },
    getProvider: (tenant, name) => named(tenant, name).at(-1),
    getDefaultProvider: (tenant) => newest(tenant).find(({ isDefault }) => isDefault),
    listProviders: ({ tenant, after = '', limit }) =>
      limited(
        newest(tenant).filter(({ name }) => name > after),
        limit,
      ),
    listProviderVersions(tenant, name, limit) {
      return limited(named(tenant, name).toReversed(), limit).map((row) => {
        const { isDefault: _isDefault, createdAt: _createdAt, ...version } = row
        return version
      })
    },
    deleteProvider(tenant, name, expected) {
      const last = named(tenant, name).at(-1)
      if (!last) return 'not_found'
      if (expected && (expected.providerId !== last.providerId || expected.version !== last.version)) return 'moved'
      remove(({ providerId }) => providerId === last.providerId)
      return 'deleted'
    },
    listSealedKeys(limit, after) {
      const order = ({ providerId, version }: { providerId: string; version: number }): string =>
        `${providerId} ${String(version).padStart(9, '0')}`
      const keys = disk.providers.flatMap(({ tenant, name, providerId, version, sealedKey }) =>
        sealedKey === undefined ? [] : [{ tenant, name, providerId, version, sealedKey }],
      )
      const sorted = keys.toSorted((a, b) => (order(a) < order(b) ? -1 : 1))
      return limited(
        sorted.filter((key) => after === undefined || order(key) > order(after)),
        limit,
      )
    },
    resealKey({ providerId, version, sealedKey: former }, sealedKey) {
      for (const row of disk.providers) {
        if (row.providerId === providerId && row.version === version && row.sealedKey === former)
          row.sealedKey = sealedKey
      }
    },
  }
}
