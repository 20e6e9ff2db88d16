import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EngineRule } from '../src/permission-policy.ts'
import { createSessionRules } from '../src/session-rules.ts'

const rule = (permission: string, action: EngineRule['action']): EngineRule => ({ permission, pattern: '*', action })
const gateway = [rule('*', 'allow'), rule('question', 'deny')]
const asking = [...gateway, rule('bash', 'ask')]
const strict = [...gateway, rule('bash', 'deny')]
const { signal } = new AbortController()

/** A session of the engine, and what it was told. */
function session(options: { present: readonly EngineRule[]; configured: boolean }) {
  let held = [...options.present]
  let fails = false
  const told: string[] = []
  const rules = createSessionRules({
    ...options,
    sessionId: 'ses_1',
    directory: '/work',
    gateway,
    api: {
      async findSession() {
        told.push('read')
        return { directory: '/work', title: '', rules: held }
      },
      async clearRules() {
        told.push('clear')
        held = [rule('*', 'allow')]
      },
      async addRules(_, added) {
        told.push('add')
        if (fails) throw new Error('no answer')
        held = [...held, ...added]
      },
    },
  })
  return {
    apply: (wanted: readonly EngineRule[]) => rules.apply(wanted, signal),
    told: () => told.splice(0).join(' '),
    held: () => held,
    fail: (on: boolean) => {
      fails = on
    },
  }
}

test('rules are told once, and none where the configuration says the same', async () => {
  const { apply, told } = session({ present: [], configured: true })
  await apply([])
  assert.equal(told(), '')
  await apply(asking)
  await apply(asking)
  assert.equal(told(), 'add')
  await apply([])
  assert.equal(told(), 'add')
})

test('an engine that is not configured so is told what the gateway allows', async () => {
  const { apply, told } = session({ present: [], configured: false })
  await apply([])
  await apply([])
  assert.equal(told(), 'add')
})

test('what a run before was refused does not stay', async () => {
  const { apply, told, held } = session({ present: strict, configured: true })
  await apply([])
  assert.equal(told(), 'clear add')
  assert.deepEqual(held(), [rule('*', 'allow'), ...gateway])
})

test('the list does not grow for ever', async () => {
  const { apply, held } = session({ present: [], configured: true })
  for (let run = 0; run < 1_000; run += 1) await apply(run % 2 === 0 ? asking : [])
  assert.ok(held().length <= 1_000, String(held().length))
})

test('after a call that failed the rules are read again', async () => {
  const { apply, told, fail } = session({ present: [], configured: true })
  fail(true)
  await assert.rejects(apply(strict))
  fail(false)
  await apply(strict)
  assert.equal(told(), 'add read add')
})
