import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lines } from '@opencode-gateway/executor-testing'
import { callOf } from '../gateway.ts'
import { startRealGateway } from '../real-engine.ts'

const EACH = { timeout: 60_000 }
const MEBIBYTE = 1024 * 1024

test('a workspace has a limit while the agent works, with a real engine', { timeout: 300_000 }, async (t) => {
  const real = await startRealGateway({
    env: { WORKSPACE_MAX_BYTES: String(2 * MEBIBYTE), WORKSPACE_MAX_FILES: '100' },
  })
  t.after(() => real[Symbol.asyncDispose]())
  const call = callOf(t, real.url)

  async function begin(): Promise<string> {
    const made = await call('POST', '/sessions', {})
    return `/sessions/${String(made.json().session_id)}`
  }

  /** The end of a command that is waited for. */
  async function shell(path: string, command: string) {
    const answer = (await call('POST', `${path}/shell`, { command }, { prefer: 'wait=50' })).json()
    return { outcome: answer.outcome, code: answer.code, exitCode: answer.exit_code, text: answer.error }
  }

  const write = (bytes: number, name: string) => `head -c ${bytes} /dev/urandom > ${name}`

  await t.test('a run that goes beyond it is ended, and what it did is there', EACH, async () => {
    const path = await begin()
    // The gate is opened by nobody.
    const prompt = [lines.write('work.txt', 'done\n'), lines.run(write(3 * MEBIBYTE, 'big')), lines.gate('never')]
    const made = await call('POST', `${path}/messages`, { prompt: prompt.join('\n') })
    assert.equal(made.status, 202, made.text)
    const page = await call('GET', `${path}/stream`)
    const complete = JSON.parse(/event: complete\ndata: (.*)/.exec(page.text)?.[1] ?? '{}') as Record<string, unknown>
    assert.equal(complete.outcome, 'failed')
    const error = complete.error as { code: string; message: string; retryable: boolean }
    assert.deepEqual([error.code, error.retryable], ['WORKSPACE_FULL', false])
    assert.match(error.message, /more than 2097152 bytes.*100 files/)
    assert.equal((await call('GET', `${path}/files/content?path=work.txt`)).text, 'done\n')
    assert.equal((await call('GET', `${path}/files/info?path=big`)).json().size, 3 * MEBIBYTE)
  })

  await t.test('so has a command that is over before anybody looked', EACH, async () => {
    const path = await begin()
    assert.deepEqual(await shell(path, 'echo small > a'), {
      outcome: 'completed',
      code: undefined,
      exitCode: 0,
      text: null,
    })
    const full = await shell(path, write(3 * MEBIBYTE, 'big'))
    assert.deepEqual([full.outcome, full.code, full.exitCode], ['failed', 'WORKSPACE_FULL', 0])
    const more = await shell(path, write(100_000, 'more'))
    assert.equal(more.code, 'WORKSPACE_FULL', 'what is full may not grow')
    const less = await shell(path, 'rm big')
    assert.equal(less.outcome, 'completed', 'but room can be made in it')
    assert.equal((await shell(path, write(100_000, 'again'))).outcome, 'completed')
  })

  await t.test('files count too', EACH, async () => {
    const path = await begin()
    const many = await shell(path, 'for i in $(seq 150); do : > $i; done')
    assert.deepEqual([many.outcome, many.code], ['failed', 'WORKSPACE_FULL'])
    assert.equal((await shell(path, 'ls | head -60 | xargs rm')).outcome, 'completed')
  })
})
