import type { StoreHarness, WholeStore } from '@opencode-gateway/store-testing'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSqliteStore, type SqliteStoreOptions } from '../src/index.ts'

export interface TempDir extends AsyncDisposable {
  path: string
}

export async function makeTempDir(): Promise<TempDir> {
  const path = await mkdtemp(join(tmpdir(), 'store-sqlite-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

export type OpenStore = WholeStore & AsyncDisposable

/** Opens a store that closes itself at the end of its block. */
export async function openStore(options: SqliteStoreOptions): Promise<OpenStore> {
  const store = createSqliteStore(options)
  await store.open()
  return { ...store, [Symbol.asyncDispose]: () => store.close() }
}

export async function makeSqliteHarness(): Promise<StoreHarness> {
  const dir = await makeTempDir()
  const opened: WholeStore[] = []
  let file = join(dir.path, 'gateway.db')

  async function open(): Promise<WholeStore> {
    const store = createSqliteStore({ file })
    opened.push(store)
    await store.open()
    return store
  }

  const store = await open()
  return {
    store,
    async reopen() {
      for (const store of opened) await store.close()
      return open()
    },
    // What is in the files now is what a killed process leaves; the copy can be opened while the original is in use.
    async crash() {
      const copy = join(dir.path, `crashed-${opened.length}.db`)
      await copyFile(file, copy)
      await copyFile(`${file}-wal`, `${copy}-wal`)
      file = copy
      return open()
    },
    async dispose() {
      for (const store of opened) await store.close()
      await dir[Symbol.asyncDispose]()
    },
  }
}
