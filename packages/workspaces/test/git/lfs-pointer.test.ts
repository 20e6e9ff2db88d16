import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lfsApiOf } from '../../src/git/lfs/batch.ts'
import { looksLikePointer, parsePointer, pointerText } from '../../src/git/lfs/pointer.ts'
import { parseRemote } from '../../src/git/remote.ts'

const oid = '0123456789abcdef'.repeat(4)
const text = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize 12\n`

test('a pointer is read to the letter, and what only looks like one is not replaced', () => {
  assert.deepEqual(parsePointer(text), { oid, size: 12 })
  assert.equal(pointerText({ oid, size: 12 }), text)
  const odd = [
    text.replace('sha256', 'sha512'),
    text.replace('12', '-1'),
    text.replace('12', '1e9'),
    text.replace(oid, oid.toUpperCase()),
    text.replace(oid, '../../../../etc/passwd'),
    text.replace('oid', 'ext-0-foo sha256:00\noid'),
    `${text}more\n`,
    text.padEnd(2000),
    ` ${text}`,
    '',
  ]
  for (const other of odd) assert.equal(parsePointer(other), undefined, other)
  assert.ok(looksLikePointer(odd[5] ?? ''))
  assert.ok(!looksLikePointer('content'))
})

test('the API for large files is where git-lfs looks for it', () => {
  const rules = { allowedHosts: ['git.example.com', 'git.example.com:8080', '[2001:db8::1]:444'], allowFile: true }
  const cases = {
    'https://git.example.com/a/b': 'https://git.example.com/a/b.git/info/lfs',
    'https://git.example.com/a/b.git/': 'https://git.example.com/a/b.git/info/lfs',
    'http://git.example.com:8080/b.git': 'http://git.example.com:8080/b.git/info/lfs',
    'https://[2001:db8::1]:444/b': 'https://[2001:db8::1]:444/b.git/info/lfs',
    'ssh://git@git.example.com/a/b.git': 'https://git.example.com/a/b.git/info/lfs',
    'git@git.example.com:a/b': 'https://git.example.com/a/b.git/info/lfs',
  }
  for (const [url, api] of Object.entries(cases)) assert.equal(lfsApiOf(parseRemote(url, rules)), api)
  assert.throws(() => lfsApiOf(parseRemote('/srv/b.git', rules)), { code: 'REPOSITORY_REFUSED' })
})
