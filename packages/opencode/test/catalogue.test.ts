import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { readCatalogue } from '../src/index.ts'
import { knownModels } from '../src/catalogue/known-models.ts'
import { readLiteral } from '../src/catalogue/literal.ts'

async function makeDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'catalogue-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

test('a literal of a minified program is read, and nothing else', () => {
  const source = `x={a:"b\\"c",'d-e':[!0,!1,true,null],"f":{g:-1.5e3,h:.5,i:'j',k:\`l\`}},y=1`
  assert.deepEqual(readLiteral(source, 2), {
    a: 'b"c',
    'd-e': [true, false, true, null],
    f: { g: -1500, h: 0.5, i: 'j', k: 'l' },
  })
  for (const other of ['{a:b}', '{a:f()}', '{a:1', '{a 1}', '[1 2]', '{a:`${b}`}', '{...a}', '"\\q"', '']) {
    assert.equal(readLiteral(other), undefined, other)
  }
})

test('the engine’s own providers are read, and kept', { timeout: 60_000 }, async (t) => {
  const directory = await makeDirectory(t)
  const resolved = createRequire(import.meta.url).resolve('opencode-ai/package.json')
  const binary = join(dirname(resolved), 'bin', 'opencode.exe')
  const options = { binary, directory, providers: ['anthropic', 'openai'] }
  const catalogue = await readCatalogue(options)
  assert.ok(catalogue)
  assert.deepEqual(Object.keys(catalogue), ['anthropic', 'openai'])
  const { env, models } = Object(catalogue['anthropic'])
  assert.deepEqual(env, ['ANTHROPIC_API_KEY'])
  const { cost, limit } = Object(Object.values(models)[0])
  assert.ok(cost.input > 0 && cost.output > 0 && limit.context > 0 && limit.output > 0)
  const [file = ''] = await readdir(directory)
  await writeFile(join(directory, file), '{"kept":{}}')
  assert.deepEqual(await readCatalogue(options), { kept: {} })
  await writeFile(join(directory, file), 'broken')
  assert.deepEqual(await readCatalogue(options), catalogue)
})

test('what is not found as expected is not guessed', { timeout: 60_000 }, async (t) => {
  const directory = await makeDirectory(t)
  const binary = join(directory, 'engine')
  await writeFile(binary, 'x={id:"a",env:["K"],name:f(),models:{}},y={a:{id:"a",env:["K"],models:{m:{}}}},z')
  const read = (...providers: string[]) => readCatalogue({ binary, directory: join(directory, 'kept'), providers })
  assert.deepEqual(await read('a'), { a: { id: 'a', env: ['K'], models: { m: {} } } })
  assert.equal(await read('a', 'b'), undefined)
  assert.deepEqual(await read(), {})
})

test('what an engine does not know the price of is not taken for free', () => {
  const model = (cost: object, api = {}) => ({ id: 'm', api, cost })
  const free = { input: 0, output: 0, cache: { read: 0, write: 0 } }
  const priced = { input: 1, output: 2, cache: { read: 0.1, write: 0 } }
  const models = {
    free: model(free),
    priced: model({ ...priced, experimentalOver200K: { ...priced, input: 3 } }, { id: 'as-told' }),
    odd: 'odd',
  }
  const cost = { input: 1, output: 2, cache_read: 0.1 }
  assert.deepEqual(knownModels({ providers: [{ id: 'acme', models }, { models }, 5] }), {
    acme: { models: { priced: { id: 'as-told', cost: { ...cost, context_over_200k: { ...cost, input: 3 } } } } },
  })
  assert.deepEqual([knownModels(undefined), knownModels({ providers: {} })], [{}, {}])
})
