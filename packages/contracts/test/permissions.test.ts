import assert from 'node:assert/strict'
import { test } from 'node:test'
import { permissionFor, type PermissionAction, type PermissionRules } from '../src/index.ts'

const rules = {
  '*': 'deny',
  bash: { '*': 'ask', 'git *': 'allow', 'git push*': 'deny' },
  edit: { 'src/**': 'allow', '*.lock': 'deny', 'src/?.ts': 'ask' },
  'web*': 'allow',
} as const satisfies PermissionRules

const verdicts: readonly (readonly [permission: string, value: string, action: PermissionAction | undefined])[] = [
  ['bash', 'ls -la', 'ask'],
  ['bash', 'git status', 'allow'],
  ['bash', 'git push origin main', 'deny'],
  ['edit', 'src/deep/down/file.ts', 'allow'],
  ['edit', 'src/a.ts', 'ask'],
  ['edit', 'src/ab.ts', 'allow'],
  ['edit', 'yarn.lock', 'deny'],
  ['edit', 'src/yarn.lock', 'deny'],
  ['webfetch', 'https://example.org', 'allow'],
  ['task', 'general', 'deny'],
]
for (const [permission, value, action] of verdicts) {
  test(`of several rules that match ${permission} "${value}" the last one says ${action}`, () => {
    assert.equal(permissionFor(rules, permission, value), action)
  })
}

const matches: readonly (readonly [pattern: string, value: string, matches: boolean])[] = [
  ['', '', true],
  ['*', '', true],
  ['*', 'several\nlines', true],
  ['a*b*c', 'a-b-b-c', true],
  ['a*b*c', 'a-b-b-', false],
  ['*end', 'the end of the end', true],
  ['?', '', false],
  ['a?c', 'abc', true],
  ['a?c', 'ac', false],
  ['a.c', 'abc', false],
  ['(a|b)', 'a', false],
  ['ls *', 'ls', true],
  ['ls *', 'ls -la', true],
  ['ls *', 'lsof', false],
  ['ls*', 'lsof', true],
  ['ls', 'ls -la', false],
  ['a\\b', 'a/b', true],
]
for (const [pattern, value, expected] of matches) {
  test(`the pattern "${pattern}" ${expected ? 'matches' : 'does not match'} ${JSON.stringify(value)}`, () => {
    assert.equal(permissionFor({ bash: { [pattern]: 'deny' } }, 'bash', value), expected ? 'deny' : undefined)
  })
}

test('a bare action means everything', () => {
  assert.equal(permissionFor('ask', 'bash', 'ls'), 'ask')
  assert.equal(permissionFor({ bash: 'deny' }, 'bash', 'ls'), 'deny')
})

test('where no rule matches there is no verdict', () => {
  assert.equal(permissionFor({}, 'bash', 'ls'), undefined)
  assert.equal(permissionFor({ bash: 'deny' }, 'edit', 'a.txt'), undefined)
  assert.equal(permissionFor({ bash: {} }, 'bash', 'ls'), undefined)
})

test('a pattern of many stars is judged all the same', () => {
  const pattern = '*a'.repeat(400)
  assert.equal(permissionFor({ bash: { [pattern]: 'deny' } }, 'bash', `${'a'.repeat(5_000)}b`), undefined)
})
