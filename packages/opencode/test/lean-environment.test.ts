import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { leanEnvironment } from '../src/index.ts'

test('the image of the engine has every variable of a lean engine', () => {
  const dockerfile = readFileSync(new URL('../../../docker/engine/Dockerfile', import.meta.url), 'utf8')
  const missing = Object.entries(leanEnvironment).filter(([name, value]) => !dockerfile.includes(` ${name}=${value} `))
  assert.deepEqual(missing, [])
})
