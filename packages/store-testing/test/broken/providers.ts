import { broken } from './broken-store.ts'

const whole = 'keeps a configuration whole, and each version of it, over a restart'
const next = 'takes only the next version of the newest one, of two at once one'
const kept = 'keeps the newest versions only'
const tenants = 'gives every tenant names and room of its own'
const lists = 'lists by name, page by page'
const defaults = 'has one default of a tenant at most'
const deletes = 'deletes with every version, and only what was expected'
const keys = 'gives every sealed key once, and puts another in its place'

export const brokenProviders = [
  broken('leaves the endpoint out', whole, (store) => ({
    putProvider: (write, limits) => store.putProvider({ ...write, endpoint: undefined }, limits),
  })),
  broken('writes over a version that is there', next, (store, disk) => ({
    putProvider(write, limits) {
      disk.providers = disk.providers.filter(({ name, version }) => name !== write.name || version < write.version)
      return store.putProvider(write, limits)
    },
  })),
  broken('keeps every version', kept, (store) => ({
    putProvider: (write, limits) => store.putProvider(write, { ...limits, keptVersions: 1_000 }),
  })),
  broken('takes more configurations than it may', tenants, (store) => ({
    putProvider: (write, limits) => store.putProvider(write, { ...limits, maxProviders: 1_000 }),
  })),
  broken('shows a configuration to every tenant', tenants, (store) => ({
    getProvider: async (tenant, name) =>
      (await store.getProvider(tenant, name)) ?? (await store.getProvider('acme', name)),
  })),
  broken('lists from the beginning always', lists, (store) => ({
    listProviders: ({ tenant, limit }) => store.listProviders({ tenant, limit }),
  })),
  broken('has two defaults', defaults, (store, disk) => ({
    async putProvider(write, limits) {
      const before = disk.providers.filter(({ isDefault }) => isDefault)
      const result = await store.putProvider(write, limits)
      for (const row of before) row.isDefault = true
      return result
    },
  })),
  broken('keeps the versions of what it deletes', deletes, (store, disk) => ({
    async deleteProvider(...of) {
      const before = disk.providers
      const result = await store.deleteProvider(...of)
      if (result === 'deleted') disk.providers = before.slice(0, -1)
      return result
    },
  })),
  broken('deletes whatever is there', deletes, (store) => ({
    deleteProvider: (tenant, name) => store.deleteProvider(tenant, name),
  })),
  broken('seals over a newer key', keys, (store, disk) => ({
    async resealKey({ providerId, version }, sealedKey) {
      for (const row of disk.providers)
        if (row.providerId === providerId && row.version === version) row.sealedKey = sealedKey
    },
  })),
]
