import type { ProviderLimits, ProviderStore, ProviderWrite, SealedKey } from '@opencode-gateway/contracts'
import assert from 'node:assert/strict'
import { noon, times } from '../fixtures.ts'
import { group } from '../harness.ts'

const limits: ProviderLimits = { maxProviders: 3, keptVersions: 3 }

function write(name: string, version: number, change: Partial<ProviderWrite> = {}): ProviderWrite {
  return {
    tenant: 'acme',
    name,
    providerId: `id of ${name}`,
    version,
    kind: 'openai',
    endpoint: undefined,
    model: undefined,
    sealedKey: `v1.key.${name}-${version}`,
    restoredFrom: undefined,
    writtenAt: noon + version,
    isDefault: false,
    ...change,
  }
}

const put = async (store: ProviderStore, ...of: Parameters<typeof write>): Promise<string> =>
  (await store.putProvider(write(...of), limits)).status

const names = async (store: ProviderStore, after: string, limit: number, tenant = 'acme'): Promise<string[]> =>
  (await store.listProviders({ tenant, after, limit })).map(({ name }) => name)

const versions = async (store: ProviderStore, name: string, limit = 100): Promise<number[]> =>
  (await store.listProviderVersions('acme', name, limit)).map(({ version }) => version)

const place = (name: string, version: number) => ({ providerId: `id of ${name}`, version })

export const providers = group('provider configurations', {
  async 'keeps a configuration whole, and each version of it, over a restart'({ store, reopen }) {
    const first = write('a', 1, { endpoint: 'http://host/v1', model: 'm' })
    const { isDefault: _, ...kept } = first
    const created = await store.putProvider(first, limits)
    assert.deepEqual(created, { status: 'written', provider: { ...first, createdAt: noon + 1 } })
    const second = write('a', 2, { sealedKey: undefined, restoredFrom: 1 })
    assert.deepEqual(await store.putProvider(second, limits), {
      status: 'written',
      provider: { ...second, createdAt: noon + 1 },
    })
    const again = await reopen()
    assert.deepEqual(await again.getProvider('acme', 'a'), { ...second, createdAt: noon + 1 })
    const { isDefault: __, ...newest } = second
    assert.deepEqual(await again.listProviderVersions('acme', 'a', 10), [newest, kept])
    assert.equal(await again.getProvider('acme', 'b'), undefined)
  },

  async 'takes only the next version of the newest one, of two at once one'({ store }) {
    assert.equal(await put(store, 'a', 2), 'moved', 'there is no version 1')
    assert.deepEqual((await Promise.all([put(store, 'a', 1), put(store, 'a', 1)])).toSorted(), ['moved', 'written'])
    assert.equal(await put(store, 'a', 3), 'moved', 'one is left out')
    assert.equal(await put(store, 'a', 2, { providerId: 'another' }), 'moved', 'of another life')
    assert.deepEqual((await Promise.all([put(store, 'a', 2), put(store, 'a', 2)])).toSorted(), ['moved', 'written'])
    assert.deepEqual(await versions(store, 'a'), [2, 1])
  },

  async 'keeps the newest versions only'({ store }) {
    for (const version of times(5, (index) => index + 1)) await put(store, 'a', version)
    assert.deepEqual(await versions(store, 'a'), [5, 4, 3])
    assert.deepEqual(await versions(store, 'a', 2), [5, 4])
    assert.equal((await store.getProvider('acme', 'a'))?.version, 5)
  },

  async 'gives every tenant names and room of its own'({ store }) {
    for (const name of ['a', 'b', 'c']) await put(store, name, 1)
    assert.deepEqual(await store.putProvider(write('d', 1), limits), { status: 'too_many', count: 3 })
    assert.equal(await put(store, 'a', 2), 'written', 'one that is there is not one more')
    const other = { tenant: 'other', providerId: 'other a' }
    assert.equal(await put(store, 'a', 1, other), 'written')
    assert.equal((await store.getProvider('acme', 'a'))?.version, 2)
    assert.equal((await store.getProvider('other', 'a'))?.version, 1)
    assert.equal(await store.getProvider('other', 'b'), undefined)
    assert.deepEqual(await store.listProviderVersions('other', 'b', 10), [])
    assert.equal(await store.deleteProvider('other', 'b'), 'not_found')
    assert.deepEqual(await names(store, '', 10, 'other'), ['a'])
    assert.equal(await store.deleteProvider('other', 'a'), 'deleted')
    assert.deepEqual(await names(store, '', 10), ['a', 'b', 'c'])
  },

  async 'lists by name, page by page'({ store }) {
    for (const name of ['c', 'a', 'b']) await put(store, name, 1)
    assert.deepEqual(await names(store, '', 2), ['a', 'b'])
    assert.deepEqual(await names(store, 'b', 2), ['c'])
    assert.deepEqual(await names(store, 'c', 2), [])
    await assert.rejects(store.listProviders({ tenant: 'acme', limit: -1 }), { code: 'INTERNAL' })
    await assert.rejects(store.listProviderVersions('acme', 'a', 0.5), { code: 'INTERNAL' })
  },

  async 'has one default of a tenant at most'({ store }) {
    assert.equal(await store.getDefaultProvider('acme'), undefined)
    const isDefault = true
    await put(store, 'a', 1, { isDefault })
    await put(store, 'b', 1, { isDefault })
    await put(store, 'x', 1, { isDefault, tenant: 'other' })
    assert.equal((await store.getDefaultProvider('acme'))?.name, 'b')
    assert.equal((await store.getProvider('acme', 'a'))?.isDefault, false)
    assert.equal((await store.listProviders({ tenant: 'acme', limit: 5 }))[1]?.isDefault, true)
    await put(store, 'a', 2)
    assert.equal((await store.getDefaultProvider('acme'))?.name, 'b', 'of another one it stays')
    await put(store, 'b', 2)
    assert.equal(await store.getDefaultProvider('acme'), undefined)
    await put(store, 'b', 3, { isDefault })
    await store.deleteProvider('acme', 'b')
    assert.equal(await store.getDefaultProvider('acme'), undefined)
    assert.equal((await store.getDefaultProvider('other'))?.name, 'x')
  },

  async 'deletes with every version, and only what was expected'({ store }) {
    for (const version of [1, 2]) await put(store, 'a', version)
    assert.equal(await store.deleteProvider('acme', 'a', place('a', 1)), 'moved')
    assert.equal(await store.deleteProvider('acme', 'a', place('another', 2)), 'moved')
    assert.equal(await store.deleteProvider('acme', 'a', place('a', 2)), 'deleted')
    assert.equal(await store.deleteProvider('acme', 'a'), 'not_found')
    assert.deepEqual([await store.getProvider('acme', 'a'), await versions(store, 'a')], [undefined, []])
    assert.deepEqual(await store.listSealedKeys(10), [])
    assert.equal(await put(store, 'a', 1, { providerId: 'second life' }), 'written')
    assert.deepEqual(await versions(store, 'a'), [1])
  },

  async 'gives every sealed key once, and puts another in its place'({ store }) {
    await put(store, 'a', 1)
    await put(store, 'a', 2)
    await put(store, 'b', 1, { sealedKey: undefined })
    await put(store, 'c', 1, { tenant: 'other' })
    const found: SealedKey[] = []
    for (let page = await store.listSealedKeys(2); page.length > 0; page = await store.listSealedKeys(2, found.at(-1)))
      found.push(...page)
    assert.deepEqual(
      found.map(({ tenant, name, version, sealedKey }) => [tenant, name, version, sealedKey]),
      [
        ['acme', 'a', 1, 'v1.key.a-1'],
        ['acme', 'a', 2, 'v1.key.a-2'],
        ['other', 'c', 1, 'v1.key.c-1'],
      ],
    )
    const [first] = found
    assert.ok(first)
    await store.resealKey(first, 'v1.new.a-1')
    await store.resealKey(first, 'v1.late.a-1')
    assert.deepEqual(
      (await store.listProviderVersions('acme', 'a', 10)).map(({ sealedKey }) => sealedKey),
      ['v1.key.a-2', 'v1.new.a-1'],
    )
  },
})
