import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PermissionRules } from '@opencode-gateway/contracts'
import { misspeltPermission } from '../src/orders/misspelt-permission.ts'
import { tooWide } from '../src/orders/policy.ts'

const unattended: PermissionRules = {
  '*': 'allow',
  question: 'deny',
  external_directory: 'deny',
  bash: { '*': 'allow', 'git push*': 'deny', 'npm publish*': 'ask' },
}

const fieldsOf = (rules: PermissionRules, policy: PermissionRules = unattended, interactive = false) =>
  tooWide({ rules, policy, interactive }).map(({ field }) => field)

const narrower: [string, PermissionRules][] = [
  ['no rule at all', {}],
  ['everything denied', 'deny'],
  ['what is allowed, allowed again', { bash: 'allow', edit: 'allow' }],
  ['what is allowed, asked for', { bash: { '*': 'ask', 'npm test*': 'allow' }, edit: 'deny' }],
  ['what is asked for, denied', { bash: { 'npm publish*': 'deny' } }],
  ['what is denied, denied again', { question: 'deny', bash: { 'git push*': 'deny' } }],
  // The executor still refuses what the gateway denies.
  ['everything allowed', 'allow'],
]
for (const [what, rules] of narrower) {
  test(`${what} is not wider`, () => assert.deepEqual(fieldsOf(rules), []))
}

const wider: [string, PermissionRules, string[]][] = [
  ['what is denied, allowed', { external_directory: 'allow' }, ['permissions.external_directory']],
  ['what is denied, asked for', { external_directory: { '/tmp/*': 'ask' } }, ['permissions.external_directory./tmp/*']],
  ['a pattern that is denied', { bash: { 'git push origin*': 'allow' } }, ['permissions.bash.git push origin*']],
  [
    'what is asked for, allowed',
    { bash: { 'npm publish --tag x': 'allow' } },
    ['permissions.bash.npm publish --tag x'],
  ],
  ['a question, allowed with nobody there', { question: 'allow' }, ['permissions.question']],
]
for (const [what, rules, fields] of wider) {
  test(`${what} is wider`, () => assert.deepEqual(fieldsOf(rules), fields))
}

test('a rule under a name that is plainly meant for a permission is told from one for a tool', () => {
  for (const [name, meant] of [
    ['bahs', 'bash'],
    ['Bash', 'bash'],
    ['webfecth', 'webfetch'],
    ['write', 'edit'],
  ] as const) {
    assert.deepEqual(misspeltPermission({ read: 'allow', [name]: 'deny' }), { name, meant })
  }
  const tools = {
    bash: 'ask',
    'web*': 'deny',
    lint: 'deny',
    lists: 'deny',
    github_write: 'deny',
    tide: 'deny',
  } as const
  assert.equal(misspeltPermission(tools), undefined)
  assert.equal(misspeltPermission('deny'), undefined)
})

test('every rule that is wider is named, with what the gateway says', () => {
  const rules: PermissionRules = { question: 'ask', bash: { 'git push*': 'allow', ls: 'allow' } }
  assert.deepEqual(tooWide({ rules, policy: unattended, interactive: false }), [
    { field: 'permissions.question', reason: '"ask" is wider than the gateway\'s "deny"' },
    { field: 'permissions.bash.git push*', reason: '"allow" is wider than the gateway\'s "deny"' },
  ])
})

test('with somebody there questions are no matter of the policy', () => {
  assert.deepEqual(fieldsOf({ question: 'allow' }, unattended, true), [])
  assert.deepEqual(fieldsOf({ external_directory: 'allow' }, unattended, true), ['permissions.external_directory'])
})

test('a policy of one action holds for everything', () => {
  assert.deepEqual(fieldsOf('allow', 'ask'), ['permissions'])
  assert.deepEqual(fieldsOf({ bash: { ls: 'allow' } }, 'deny'), ['permissions.bash.ls'])
})

test('what a policy does not mention is allowed, but not what asks or leaves the workspace', () => {
  assert.deepEqual(fieldsOf({ edit: 'allow', external_directory: 'allow' }, { bash: 'deny' }), [
    'permissions.external_directory',
  ])
})
