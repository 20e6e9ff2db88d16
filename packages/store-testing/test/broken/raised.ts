import type { RaisedLimit } from '@opencode-gateway/contracts'
import { broken } from './broken-store.ts'

const adds = 'has what a budget was raised by, added up, after a crash'
const anew = 'begins anew on another day, and when another limit is set'
const fenced = 'raises nothing for a writer that is fenced off'
const forgets = 'forgets what a session was raised to with the session, and nothing else'

const same = (change: Partial<RaisedLimit>) => (row: RaisedLimit) => ({ ...row, ...change })

export const brokenRaises = [
  broken('remembers only the last raise', adds, (store, disk) => ({
    append(fence, events, at, patch) {
      const raised = patch?.raised ?? []
      const isNew = ({ owner, id, limit }: RaisedLimit): boolean =>
        !raised.some((row) => row.owner === owner && row.id === id && row.limit === limit)
      disk.raised = disk.raised.filter(isNew)
      return store.append(fence, events, at, patch)
    },
  })),
  broken('adds what was raised on another day', anew, (store) => ({
    append: (fence, events, at, patch) =>
      store.append(fence, events, at, { ...patch, raised: (patch?.raised ?? []).map(same({ day: '2026-11-22' })) }),
  })),
  broken('adds what was raised above another limit', anew, (store) => ({
    append: (fence, events, at, patch) =>
      store.append(fence, events, at, { ...patch, raised: (patch?.raised ?? []).map(same({ configured: 50 })) }),
  })),
  broken('raises for whoever writes', fenced, (store, disk) => ({
    append(fence, events, at, patch) {
      disk.raised.push(...(patch?.raised ?? []))
      return store.append(fence, events, at, patch)
    },
  })),
  broken('keeps raises of sessions that are forgotten', forgets, (store, disk) => ({
    async forget(before, limit) {
      const { raised } = disk
      const forgotten = await store.forget(before, limit)
      disk.raised = raised
      return forgotten
    },
  })),
  broken('forgets every raise with a session', forgets, (store, disk) => ({
    async forget(before, limit) {
      const forgotten = await store.forget(before, limit)
      disk.raised = []
      return forgotten
    },
  })),
]
