import type { IdempotencyKey } from '@opencode-gateway/contracts'
import type { DatabaseSync } from 'node:sqlite'
import { prepareQuery } from './query.ts'

export interface Replay {
  digest: string
  session: number
  run: number | null
}

export type IdempotencySql = ReturnType<typeof createIdempotencySql>

export function createIdempotencySql(db: DatabaseSync) {
  const find = prepareQuery<Replay>(
    db,
    `SELECT digest, session, run FROM idempotency_keys
     WHERE tenant = ? AND route = ? AND key = ? AND expires_at > ?`,
  )
  // A key that is past its time may still be there: expiry comes round later.
  const remember = db.prepare('INSERT OR REPLACE INTO idempotency_keys VALUES (?, ?, ?, ?, ?, ?, ?)')

  return {
    /** What the key led to, if it is not past its time. */
    find: ({ tenant, route, key }: IdempotencyKey, now: number) => find.get(tenant, route, key, now),
    remember(
      { tenant, route, key, digest, expiresAt }: IdempotencyKey,
      session: number,
      run: number | undefined,
    ): void {
      remember.run(tenant, route, key, digest, session, run ?? null, expiresAt)
    },
  }
}
