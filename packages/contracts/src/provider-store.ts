/** One version of a named provider configuration. Times are milliseconds since the epoch. */
export interface ProviderVersion {
  tenant: string
  name: string
  /** Of this life of the name: another one when it was deleted and made again. */
  providerId: string
  /** From 1, without a gap. */
  version: number
  kind: string
  /** Base URL, in place of the one the kind has. */
  endpoint: string | undefined
  /** Model of a request that names none. */
  model: string | undefined
  /** Opens for this tenant, name, life and version alone. */
  sealedKey: string | undefined
  /** The version it was made from, when it is one that was gone back to. */
  restoredFrom: number | undefined
  writtenAt: number
}

/** A provider configuration as it is now: its newest version. */
export interface ProviderRow extends ProviderVersion {
  /** Of requests of the tenant that name no provider. */
  isDefault: boolean
  createdAt: number
}

/** The version after the newest one of the same life, or version 1 of a new life. */
export interface ProviderWrite extends ProviderVersion {
  isDefault: boolean
}

export interface ProviderLimits {
  /** Configurations of one tenant. */
  maxProviders: number
  /** Newest versions of one configuration that are kept. */
  keptVersions: number
}

/** `moved`: the version before is not the newest one any more. */
export type PutProviderResult =
  | { status: 'written'; provider: ProviderRow }
  | { status: 'moved' }
  | { status: 'too_many'; count: number }

/** Which life and version of a name is meant. */
export type ProviderPlace = Pick<ProviderVersion, 'providerId' | 'version'>

/** A key to seal again, in its place. */
export interface SealedKey extends ProviderPlace {
  tenant: string
  name: string
  sealedKey: string
}

/** Where provider configurations are kept. Throws as `Store` does; a name belongs to its tenant. */
export interface ProviderStore {
  /** Adds a version, drops those that are not kept, and takes `isDefault` from the others, in one transaction. */
  putProvider(write: ProviderWrite, limits: ProviderLimits): Promise<PutProviderResult>
  getProvider(tenant: string, name: string): Promise<ProviderRow | undefined>
  getDefaultProvider(tenant: string): Promise<ProviderRow | undefined>
  /** By name, after `after`. */
  listProviders(query: { tenant: string; after?: string; limit: number }): Promise<readonly ProviderRow[]>
  /** Those that are kept, newest first. */
  listProviderVersions(tenant: string, name: string, limit: number): Promise<readonly ProviderVersion[]>
  /** With all versions. With `expected` only while that is the newest version; else `moved`. */
  deleteProvider(tenant: string, name: string, expected?: ProviderPlace): Promise<'deleted' | 'not_found' | 'moved'>
  /** All sealed keys of all tenants, in an order that stays, after one of them. */
  listSealedKeys(limit: number, after?: ProviderPlace): Promise<readonly SealedKey[]>
  /** Puts another sealed key in place of that one; nothing when it is another one by now. */
  resealKey(key: SealedKey, sealedKey: string): Promise<void>
}
