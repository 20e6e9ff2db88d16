import type { Store } from '@opencode-gateway/contracts'
import type { Disk } from '../memory/disk.ts'
import { broken } from './broken-store.ts'

const closes = 'closes sessions whose retention is over, and no others'
const credentials = 'forgets the credentials of what it closes when its retention is over'
const counts = 'counts retention from the last change, and closes as many as its limit'
const uses = 'counts retention from the last use as well, until the session is closed'
const adopts = 'gives sessions of before there was a retention one that begins now'
const forgets = 'forgets a session that is over, with all that was ever its'
const spares = 'forgets nothing that is open, held or younger'
const bounded = 'forgets no more rows than its limit at once, the oldest first, and comes to the end'

/** Keeps something of a session that is forgotten. */
function keeping(store: Store, disk: Disk, put: (before: Disk) => void): Partial<Store> {
  return {
    async forget(before, limit) {
      const former = structuredClone(disk)
      const result = await store.forget(before, limit)
      put(former)
      return result
    },
  }
}

export const brokenRetention = [
  broken('tells what is to be closed and does not close it', closes, (store, disk) => ({
    async closeExpired(now, limit) {
      const closed = await store.closeExpired(now, limit)
      for (const { sessionId } of closed) Object.assign(disk.sessions.get(sessionId) ?? {}, { closedAt: undefined })
      return closed
    },
  })),
  broken('closes what works', closes, (store, disk) => ({
    closeExpired(now, limit) {
      for (const session of disk.sessions.values()) session.openRuns = 0
      return store.closeExpired(now, limit)
    },
  })),
  broken('keeps the credentials of what it closes', credentials, (store, disk) => ({
    async closeExpired(now, limit) {
      const former = structuredClone(disk.fills)
      const closed = await store.closeExpired(now, limit)
      disk.fills = former
      return closed
    },
  })),
  broken('counts from the beginning', counts, (store, disk) => ({
    closeExpired(now, limit) {
      for (const session of disk.sessions.values()) session.updatedAt = session.createdAt
      return store.closeExpired(now, limit)
    },
  })),
  broken('does not count use', uses, () => ({ touchSession: async () => true })),
  broken('lets the clock go back', uses, (store, disk) => ({
    async touchSession(sessionId, at) {
      const isOpen = await store.touchSession(sessionId, at)
      return isOpen && Object.assign(disk.sessions.get(sessionId) ?? {}, { updatedAt: at }) !== undefined
    },
  })),
  broken('counts the use of what is closed', uses, (store, disk) => ({
    async touchSession(sessionId, at) {
      const isOpen = await store.touchSession(sessionId, at)
      Object.assign(disk.sessions.get(sessionId) ?? {}, isOpen ? {} : { updatedAt: at })
      return isOpen
    },
  })),
  broken('gives no retention to what has none', adopts, () => ({ adoptRetention: async () => 0 })),
  broken('counts the retention that it gives from the last change', adopts, (store, disk) => ({
    async adoptRetention(retentionMs, at, limit) {
      const adopted = await store.adoptRetention(retentionMs, at, limit)
      for (const session of disk.sessions.values()) session.retentionMs = retentionMs
      return adopted
    },
  })),
  broken('keeps the runs', forgets, (store, disk) => keeping(store, disk, ({ runs }) => (disk.runs = runs))),
  broken('keeps the fill', forgets, (store, disk) => keeping(store, disk, ({ fills }) => (disk.fills = fills))),
  broken('forgets what an executor still holds', spares, (store, disk) => ({
    forget(before, limit) {
      for (const session of disk.sessions.values()) session.releasedAt ??= session.closedAt
      return store.forget(before, limit)
    },
  })),
  broken('forgets what is of that very time', spares, (store) => ({
    forget: (before, limit) => store.forget(before + 1, limit),
  })),
  broken('forgets everything at once', bounded, (store) => ({ forget: (before) => store.forget(before, 1_000_000) })),
]
