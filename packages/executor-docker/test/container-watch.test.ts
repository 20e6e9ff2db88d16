import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { silentLog } from '@opencode-gateway/executor-testing'
import { labels } from '../src/container/container-spec.ts'
import { createContainerWatch } from '../src/container/container-watch.ts'
import type { ContainerWatchOptions } from '../src/container/container-watch.ts'
import { watchExit } from '../src/container/watch-exit.ts'
import { noOwnDaemon, startOwnDaemon } from './own-daemon.ts'
import { soon } from './scene.ts'

const never = <T>(): Promise<T> => new Promise(() => {})
const HOUR_MS = 3_600_000

describe('a container whose wait was cut off without a word', { skip: await noOwnDaemon() }, () => {
  test('is known to have ended by the events, by the list, and after the daemon was away', async (t) => {
    const own = await startOwnDaemon(t)
    const { daemon } = own
    const body = { ...own.body, Labels: { [labels.owner]: 'me', [labels.session]: 'one', [labels.epoch]: '1' } }
    const begin = async (name: string, options: Partial<ContainerWatchOptions>) => {
      const id = await daemon.create(name, body, soon())
      await daemon.start(id, soon())
      // Of the wait nothing comes any more, as when something between us and the daemon has forgotten it.
      const deaf = { ...daemon, exited: () => never<void>() }
      const watch = createContainerWatch({
        daemon: deaf,
        owner: () => 'me',
        log: silentLog,
        lookMs: HOUR_MS,
        ...options,
      })
      t.after(() => watch.close())
      return { id, ended: watchExit({ ...daemon, exited: watch.exited }, id, t.signal) }
    }

    const told = await begin('told', {})
    await daemon.kill(told.id, soon())
    await told.ended

    const listed = await begin('listed', {
      daemon: { ...daemon, exited: never, ends: () => Promise.reject(new Error('no events')) },
      lookMs: 50,
    })
    await daemon.kill(listed.id, soon())
    await listed.ended

    const missed = await begin('missed', { maxPauseMs: 200 })
    await own.crash()
    await own.start()
    await missed.ended
    assert.equal((await daemon.inspect(missed.id, soon()))?.running, false)
  })
})
