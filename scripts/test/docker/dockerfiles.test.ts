import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

const root = new URL('../../../', import.meta.url)
const names = ['docker/gateway/Dockerfile', 'docker/engine/Dockerfile', 'scripts/docker/stand-ins/Dockerfile']
const dockerfiles = names.map((name) => ({ name, text: readFileSync(new URL(name, root), 'utf8') }))

test('no Dockerfile names an architecture', () => {
  for (const { name, text } of dockerfiles) assert.doesNotMatch(text, /amd64|x86_64|x64|arm64|aarch64|--platform/, name)
})

test('BASE_IMAGE alone says what images are made of: every stage begins with it, or with a stage before', () => {
  for (const { name, text } of dockerfiles) {
    const [beforeStages = '', ...rest] = text.split(/^(?=FROM )/m)
    assert.match(beforeStages, /^ARG BASE_IMAGE=\S+$/m, name)
    const stages: string[] = []
    for (const stage of rest) {
      const [, from = '', as] = /^FROM (\S+)(?: AS (\S+))?$/m.exec(stage) ?? []
      const copied = [...stage.matchAll(/--from=(\S+)/g)].map(([, source = '']) => source)
      for (const source of [...(from === '${BASE_IMAGE}' ? [] : [from]), ...copied])
        assert.ok(stages.includes(source), `${name}: "${source}" is no stage before`)
      if (as !== undefined) stages.push(as)
    }
    assert.ok(stages.length > 2, name)
  }
})
