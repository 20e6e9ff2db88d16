import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PermissionRules } from '@opencode-gateway/contracts'
import { createPolicy, withoutAsking } from '../src/permission-policy.ts'

const gateway: PermissionRules = {
  bash: { '*': 'allow', 'git push*': 'deny', 'npm publish*': 'ask' },
  webfetch: 'ask',
}

function policy(request: PermissionRules | undefined, interactive = true) {
  return createPolicy({ gateway, request, interactive })
}

test('a session that asks for nothing lives by the engine’s configuration', () => {
  assert.deepEqual(policy(undefined, false).rules, [])
})

test('a request can narrow, and never widens', () => {
  const { decide } = policy({ bash: { '*': 'ask', 'git push*': 'allow', 'ls*': 'allow' }, webfetch: 'allow' })
  assert.equal(decide('bash', ['rm -rf x']), 'ask')
  assert.equal(decide('bash', ['ls -l']), 'allow')
  assert.equal(decide('bash', ['git push origin']), 'deny')
  assert.equal(decide('webfetch', ['http://x']), 'ask')
})

test('of several patterns the narrowest counts', () => {
  assert.equal(policy({ bash: { '*': 'allow' } }).decide('bash', ['ls', 'git push']), 'deny')
})

test('where nobody is there, what must be asked is refused', () => {
  const { decide } = policy({ bash: { '*': 'ask', 'ls*': 'allow' } }, false)
  assert.equal(decide('bash', ['rm x']), 'deny')
  assert.equal(decide('bash', ['ls']), 'allow')
})

test('what the gateway does not allow is asked for by the engine when the request could widen it', () => {
  const { rules } = policy({ '*': 'allow' })
  const guarded = [
    ['bash', 'git push*'],
    ['webfetch', '*'],
    ['external_directory', '*'],
  ] as const
  for (const [permission, value] of guarded) {
    const last = rules.findLast((rule) => rule.permission === permission && rule.pattern === value)
    assert.equal(last?.action, 'ask', permission)
  }
})

test('a request that only refuses is put behind the gateway’s rules', () => {
  const { rules } = policy({ edit: 'deny' }, false)
  assert.deepEqual(rules.at(-1), { permission: 'edit', pattern: '*', action: 'deny' })
  assert.ok(!rules.some(({ permission }) => permission === 'task'))
})

test('an interactive session may ask questions, unless the request refuses them', () => {
  const question = (request?: PermissionRules) =>
    policy(request).rules.findLast(({ permission }) => permission === 'question')?.action
  assert.equal(question(), 'allow')
  assert.equal(question({ question: 'deny' }), 'deny')
})

test('a session that must ask has no sub-agents, which would not', () => {
  assert.deepEqual(policy({ bash: 'ask' }).rules.at(-1), { permission: 'task', pattern: '*', action: 'deny' })
})

test('in the engine’s configuration nothing asks', () => {
  assert.deepEqual(withoutAsking(gateway), {
    bash: { '*': 'allow', 'git push*': 'deny', 'npm publish*': 'deny' },
    webfetch: 'deny',
  })
})
