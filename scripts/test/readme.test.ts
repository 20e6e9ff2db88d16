import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { eventTypes } from '@opencode-gateway/contracts'
import { renderEnvTable } from '@opencode-gateway/gateway/env-table'
import { codeBlocks, relativeLinks, tableOf } from '../readme/markdown.ts'
import { replaceMarked } from '../readme/marked.ts'

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const readme = read('README.md')

test("the README's table of settings is the one made from the settings", () => {
  const fresh = replaceMarked(readme, 'environment', `\n${renderEnvTable()}\n`)
  assert.equal(readme, fresh, 'write it anew with: node scripts/readme.ts')
})

test('the README lists the endpoints that there are, and no others', () => {
  const listed = tableOf(readme, 'method, path').flatMap(([calls = '']) =>
    [...calls.matchAll(/`(\w+) ([^`?]+)[^`]*`/g)].map(([, method, path]) => `${method} ${path}`),
  )
  const { paths }: { paths: Record<string, object> } = JSON.parse(read('apps/gateway/openapi.json'))
  const documented = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  assert.deepEqual(listed.toSorted(), documented.toSorted())
})

test('the README names every event', () => {
  const [sentence = ''] = /^Events are [^]*?\.\s/m.exec(readme) ?? []
  const named = [...sentence.matchAll(/`(\w+)`/g)].map(([, name]) => name)
  assert.deepEqual(new Set(named), new Set(eventTypes))
})

test('what the README links to and draws is there', () => {
  const drawn = codeBlocks(readme).filter(({ info }) => info === '')
  const names = drawn.flatMap(({ text }) => text.split('\n').flatMap((line) => /^([\w./-]+\/) /.exec(line)?.[1] ?? []))
  const links = relativeLinks(readme)
  assert.ok(links.length > 3 && names.length > 5, 'nothing was found to look for')
  for (const path of [...links, ...names]) {
    if (path.startsWith('/')) continue
    assert.ok(existsSync(new URL(path, root)), `${path} is not there`)
  }
})

test('the README names scripts that there are', () => {
  const { scripts }: { scripts: Record<string, string> } = JSON.parse(read('package.json'))
  const named = [...readme.matchAll(/\bnpm (?:run )?(start|test|check|bench|[a-z:]+)\b/g)].map(([, name = '']) => name)
  assert.ok(named.includes('start'))
  for (const name of named.filter((name) => name !== 'run')) assert.ok(name in scripts, `npm run ${name}`)
})

test('a page whose markers are missing, or there twice, is not written', () => {
  for (const page of ['', '<!-- a -->\n', '<!-- /a -->\n<!-- a -->\n', '<!-- a -->\n<!-- a -->\n<!-- /a -->\n']) {
    assert.throws(() => replaceMarked(page, 'a', 'x'), /must be there once/)
  }
  assert.equal(
    replaceMarked('1\n<!-- a -->\nold\n<!-- /a -->\n2\n', 'a', 'new\n'),
    '1\n<!-- a -->\nnew\n<!-- /a -->\n2\n',
  )
})
