import { randomUUID } from 'node:crypto'
import {
  GatewayError,
  type ProviderLimits,
  type ProviderRequest,
  type ProviderRow,
  type ProviderStore,
  type ProviderVersion,
} from '@opencode-gateway/contracts'
import type { Sealing } from '@opencode-gateway/sealing'
import { changed, requireExpected, type Expected } from './provider-conditions.ts'
import { checkDraft, keyOfDraft, type ProviderDraft } from './provider-rules.ts'
import { openKey, sealKey } from './provider-seal.ts'

/** A configuration ready for use. Holds a secret: it is never logged. */
export interface OpenProvider extends Pick<ProviderVersion, 'name' | 'version' | 'kind' | 'endpoint' | 'model'> {
  key: string | undefined
}

/**
 * The named provider configurations of tenants. PROVIDER_NOT_FOUND for a name that the tenant does not have,
 * UNSUPPORTED_OPTION for a key that cannot be sealed or opened.
 */
export interface ProviderConfigs {
  list(query: { tenant: string; after?: string; limit: number }): Promise<readonly ProviderRow[]>
  get(tenant: string, name: string): Promise<ProviderRow>
  versions(tenant: string, name: string): Promise<readonly ProviderVersion[]>
  /** A new version. INVALID_REQUEST, PRECONDITION_FAILED, TOO_MANY_PROVIDERS. */
  put(tenant: string, name: string, request: ProviderRequest, expected: Expected): Promise<ProviderRow>
  /** A new version that is as a former one was: also PROVIDER_VERSION_NOT_FOUND. */
  rollback(tenant: string, name: string, version: number, expected: Expected): Promise<ProviderRow>
  /** With all versions. PRECONDITION_FAILED. */
  remove(tenant: string, name: string, expected: Expected): Promise<void>
  /** As `open`, of the tenant's default. */
  openDefault(tenant: string): Promise<OpenProvider | undefined>
  /** With its key; undefined when there is none of that name. */
  open(tenant: string, name: string, field?: string): Promise<OpenProvider | undefined>
}

export interface ProviderConfigsOptions {
  store: ProviderStore
  sealing: Sealing | undefined
  /** Hosts that an endpoint may name. */
  endpointHosts: readonly string[]
  limits: ProviderLimits
}

/** How often a write begins anew that another one came before. */
const MAX_ATTEMPTS = 5
const IN_MODEL_CONFIG = 'model_config.provider'

export function createProviderConfigs(options: ProviderConfigsOptions): ProviderConfigs {
  const { store, sealing, endpointHosts, limits } = options

  async function get(tenant: string, name: string): Promise<ProviderRow> {
    const found = await store.getProvider(tenant, name)
    if (found) return found
    throw new GatewayError('PROVIDER_NOT_FOUND', `There is no provider configuration "${name}".`)
  }

  const versions = async (tenant: string, name: string): Promise<readonly ProviderVersion[]> => {
    await get(tenant, name)
    return await store.listProviderVersions(tenant, name, limits.keptVersions)
  }

  async function write(
    place: { tenant: string; name: string; restoredFrom?: number },
    expected: Expected,
    draftFrom: (newest: ProviderRow | undefined) => ProviderDraft | Promise<ProviderDraft>,
  ): Promise<ProviderRow> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const newest = await store.getProvider(place.tenant, place.name)
      requireExpected(expected, newest)
      const { key, ...draft } = await draftFrom(newest)
      checkDraft({ key, ...draft }, endpointHosts)
      const version = { providerId: newest?.providerId ?? randomUUID(), version: (newest?.version ?? 0) + 1 }
      const at = { restoredFrom: undefined, ...place, ...version }
      const sealedKey = key === undefined ? undefined : sealKey(key, at, sealing)
      const written = await store.putProvider({ ...at, ...draft, sealedKey, writtenAt: Date.now() }, limits)
      if (written.status === 'written') return written.provider
      if (written.status === 'too_many') throw tooMany(written.count)
    }
    throw changed('is being changed by others')
  }

  function opened(row: ProviderRow | undefined, field = IN_MODEL_CONFIG): OpenProvider | undefined {
    if (!row) return undefined
    const { name, version, kind, endpoint, model } = row
    return { name, version, kind, endpoint, model, key: openKey(row, sealing, field) }
  }

  return {
    list: (query) => store.listProviders(query),
    get,
    versions,
    put: (tenant, name, request, expected) =>
      write({ tenant, name }, expected, (newest) => {
        const { kind, api_endpoint: endpoint, model, default: isDefault = false } = request
        const chosen = keyOfDraft(request.api_key, { kind, endpoint }, newest)
        const kept = chosen?.from === 'newest' && newest ? openKey(newest, sealing, 'api_key') : undefined
        return { kind, endpoint, model, isDefault, key: chosen?.from === 'request' ? chosen.key : kept }
      }),
    rollback: (tenant, name, restoredFrom, expected) =>
      write({ tenant, name, restoredFrom }, expected, async (newest) => {
        const kept = await versions(tenant, name)
        const former = kept.find(({ version }) => version === restoredFrom)
        if (!former || !newest) throw versionNotFound(name, restoredFrom)
        const { kind, endpoint, model } = former
        return { kind, endpoint, model, isDefault: newest.isDefault, key: openKey(former, sealing, 'version') }
      }),
    async remove(tenant, name, expected) {
      const found = await get(tenant, name)
      requireExpected(expected, found)
      const exact = expected.ifMatch === undefined || expected.ifMatch === '*' ? undefined : found
      const removed = await store.deleteProvider(tenant, name, exact)
      if (removed === 'moved') throw changed('has changed')
      if (removed === 'not_found') await get(tenant, name)
    },
    open: async (tenant, name, field) => opened(await store.getProvider(tenant, name), field),
    openDefault: async (tenant) => opened(await store.getDefaultProvider(tenant)),
  }
}

function tooMany(count: number): GatewayError {
  return new GatewayError(
    'TOO_MANY_PROVIDERS',
    `There are ${count} provider configurations, and may be no more (MAX_PROVIDERS). Delete one first.`,
  )
}

function versionNotFound(name: string, version: number): GatewayError {
  return new GatewayError(
    'PROVIDER_VERSION_NOT_FOUND',
    `The provider configuration "${name}" has no version ${version} that is kept (MAX_PROVIDER_VERSIONS).`,
  )
}
