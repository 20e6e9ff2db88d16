import type {
  ProviderLimits,
  ProviderPlace,
  ProviderVersion,
  ProviderWrite,
  SealedKey,
} from '@opencode-gateway/contracts'
import type { DatabaseSync } from 'node:sqlite'
import { prepareQuery } from './query.ts'

export type ProviderVersionRecord = {
  [Column in keyof ProviderVersion]: Exclude<ProviderVersion[Column], undefined> | null
} & Omit<ProviderVersion, 'endpoint' | 'model' | 'sealedKey' | 'restoredFrom'>
export type ProviderRecord = ProviderVersionRecord & { createdAt: number; isDefault: 0 | 1 }

type PutRecord =
  | { status: 'written'; provider: ProviderRecord }
  | { status: 'moved' }
  | { status: 'too_many'; count: number }

const columns = `
  p.tenant, p.name, p.provider_id AS providerId, v.version, v.kind, v.endpoint, v.model, v.sealed_key AS sealedKey,
  v.restored_from AS restoredFrom, v.written_at AS writtenAt`
const selectProvider = `
  SELECT ${columns}, p.created_at AS createdAt, d.provider_id IS NOT NULL AS isDefault
  FROM providers p CROSS JOIN provider_versions v ON v.provider_id = p.provider_id AND v.version = p.version
  LEFT JOIN provider_defaults d ON d.tenant = p.tenant AND d.provider_id = p.provider_id`

export function createProviderSql(db: DatabaseSync) {
  const byName = prepareQuery<ProviderRecord>(db, `${selectProvider} WHERE p.tenant = ? AND p.name = ?`)
  const list = prepareQuery<ProviderRecord>(
    db,
    `${selectProvider} WHERE p.tenant = ? AND p.name > ? ORDER BY p.name LIMIT ?`,
  )
  const ofDefault = prepareQuery<{ name: string }>(
    db,
    `SELECT p.name FROM provider_defaults d JOIN providers p ON p.provider_id = d.provider_id WHERE d.tenant = ?`,
  )
  const versions = prepareQuery<ProviderVersionRecord>(
    db,
    `SELECT ${columns} FROM providers p CROSS JOIN provider_versions v ON v.provider_id = p.provider_id
     WHERE p.tenant = ? AND p.name = ? ORDER BY v.version DESC LIMIT ?`,
  )
  const count = prepareQuery<{ count: number }>(db, 'SELECT count(*) AS count FROM providers WHERE tenant = ?')
  const sealed = prepareQuery<SealedKey>(
    db,
    `SELECT p.tenant, p.name, v.provider_id AS providerId, v.version, v.sealed_key AS sealedKey
     FROM provider_versions v CROSS JOIN providers p ON p.provider_id = v.provider_id
     WHERE (v.provider_id, v.version) > (?, ?) AND v.sealed_key IS NOT NULL ORDER BY v.provider_id, v.version LIMIT ?`,
  )
  const insert = db.prepare('INSERT INTO providers VALUES (?, ?, ?, 1, ?)')
  const advance = db.prepare('UPDATE providers SET version = ? WHERE tenant = ? AND name = ?')
  const insertVersion = db.prepare('INSERT INTO provider_versions VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  const prune = db.prepare('DELETE FROM provider_versions WHERE provider_id = ? AND version <= ?')
  const setDefault = db.prepare(`
    INSERT INTO provider_defaults VALUES (?, ?) ON CONFLICT (tenant) DO UPDATE SET provider_id = excluded.provider_id`)
  const dropDefault = db.prepare('DELETE FROM provider_defaults WHERE tenant = ? AND provider_id = ?')
  const drop = db.prepare('DELETE FROM providers WHERE tenant = ? AND name = ?')
  const dropVersions = db.prepare('DELETE FROM provider_versions WHERE provider_id = ?')
  const reseal = db.prepare(
    'UPDATE provider_versions SET sealed_key = ? WHERE provider_id = ? AND version = ? AND sealed_key = ?',
  )

  function isNext(newest: ProviderRecord | undefined, { providerId, version }: ProviderPlace): boolean {
    return newest === undefined ? version === 1 : newest.providerId === providerId && newest.version === version - 1
  }

  const writes = {
    putProvider(write: ProviderWrite, { maxProviders, keptVersions }: ProviderLimits): PutRecord {
      const { tenant, name, providerId, version, writtenAt } = write
      const newest = byName.get(tenant, name)
      if (!isNext(newest, write)) return { status: 'moved' }
      const others = newest === undefined ? (count.get(tenant)?.count ?? 0) : 0
      if (newest === undefined && others >= maxProviders) return { status: 'too_many', count: others }
      if (newest === undefined) insert.run(tenant, name, providerId, writtenAt)
      else advance.run(version, tenant, name)
      const { kind, endpoint = null, model = null, sealedKey = null, restoredFrom = null } = write
      insertVersion.run(providerId, version, kind, endpoint, model, sealedKey, restoredFrom, writtenAt)
      prune.run(providerId, version - keptVersions)
      if (write.isDefault) setDefault.run(tenant, providerId)
      else dropDefault.run(tenant, providerId)
      const provider = byName.get(tenant, name)
      if (provider === undefined) throw new Error('a row that was written in this transaction is not there')
      return { status: 'written', provider }
    },
    deleteProvider(tenant: string, name: string, expected: ProviderPlace | undefined) {
      const newest = byName.get(tenant, name)
      if (newest === undefined) return 'not_found' as const
      const { providerId, version } = newest
      if (expected && (expected.providerId !== providerId || expected.version !== version)) return 'moved' as const
      drop.run(tenant, name)
      dropVersions.run(providerId)
      dropDefault.run(tenant, providerId)
      return 'deleted' as const
    },
    resealKey({ providerId, version, sealedKey: former }: SealedKey, sealedKey: string): void {
      reseal.run(sealedKey, providerId, version, former)
    },
  }
  const reads = {
    getProvider: (tenant: string, name: string) => byName.get(tenant, name),
    getDefaultProvider(tenant: string): ProviderRecord | undefined {
      const name = ofDefault.get(tenant)?.name
      return name === undefined ? undefined : byName.get(tenant, name)
    },
    listProviders: ({ tenant, after = '', limit }: { tenant: string; after?: string; limit: number }) =>
      list.all(tenant, after, limit),
    listProviderVersions: (tenant: string, name: string, limit: number) => versions.all(tenant, name, limit),
    listSealedKeys: (limit: number, after: ProviderPlace | undefined) =>
      sealed.all(after?.providerId ?? '', after?.version ?? 0, limit),
  }
  return { writes, reads }
}
