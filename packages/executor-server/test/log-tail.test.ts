import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { keepTail } from '../src/log-tail.ts'

async function tailOf(
  chunks: readonly string[],
  options: { lines: number; secrets: readonly string[] },
): Promise<string> {
  const stream = new PassThrough()
  const tail = keepTail([stream], options)
  for (const chunk of chunks) stream.write(chunk)
  stream.end()
  await once(stream, 'end')
  return tail.text()
}

test('the last lines are kept, however they arrive', async () => {
  assert.equal(await tailOf(['on', 'e\ntw', 'o\nthree\nfour\n'], { lines: 3, secrets: [] }), 'two\nthree\nfour')
})

test('a secret is blacked out', async () => {
  assert.equal(await tailOf(['key=topsecret!\n'], { lines: 3, secrets: ['topsecret'] }), 'key=***!')
})

test('a line without an end does not fill the memory', async () => {
  const text = await tailOf([...Array.from({ length: 100 }, () => 'x'.repeat(1000)), '\n'], { lines: 3, secrets: [] })
  assert.equal(text.length, 500)
})
