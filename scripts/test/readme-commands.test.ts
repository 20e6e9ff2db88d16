import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createGitServer } from '@opencode-gateway/executor-testing'
import { codeBlocks, commandsOf } from '../readme/markdown.ts'
import { assertExported } from './observability/exported.ts'

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
/** The repository that the README names. */
const REPOSITORY = 'https://github.com/acme/app.git'
const blocks = codeBlocks(read('README.md'))
const commands = blocks.filter(({ info }) => info === 'sh').flatMap(commandsOf)

test('the commands of the README, one after the other, do what it says', { timeout: 240_000 }, async (t) => {
  const [start, ...others] = commands
  assert.equal(start, 'npm start')
  const git = await createGitServer()
  t.after(() => git.close())
  const repository = await git.addRepository('app', { 'README.md': '# App' })
  const url = await startGateway(t, { GIT_ALLOWED_HOSTS: git.host })
  const outputs = await runInOneShell(t, others, { 'localhost:8080': new URL(url).host, [REPOSITORY]: repository })
  const taken = new Set<string>()

  /** The output of the one command that matches. */
  function outputOf(pattern: RegExp): string {
    const found = others.filter((command) => pattern.test(command))
    assert.equal(found.length, 1, `${found.length} commands match ${pattern}`)
    taken.add(found[0] ?? '')
    return outputs.get(found[0] ?? '') ?? ''
  }
  const answerOf = (pattern: RegExp): Record<string, unknown> => fields(JSON.parse(outputOf(pattern)))

  const hello = answerOf(/Say hello/)
  assert.deepEqual([hello['success'], hello['error']], [true, null])
  assert.notEqual(hello['output'], '')

  const [sample, cancelled, problem] = blocks
    .filter(({ info }) => info === 'json')
    .map((block) => fields(JSON.parse(block.text)))
  const wrote = answerOf(/write: hello\.txt/)
  assertLike(wrote, sample)
  assertLike(await refusedBy(url), problem)
  assert.match(String(wrote['execution_time']), /^\d+\.\ds$/)

  outputOf(/^ID=/)
  const { session_id: id, status } = answerOf(/say: one/)
  assert.ok(status === 'pending' || status === 'running', String(status))
  const whole = idsIn(outputOf(/stream\W*$/))
  assert.deepEqual(
    whole,
    whole.map((_, index) => index + 1),
  )
  assert.deepEqual(idsIn(outputOf(/Last-Event-ID: 2/)), whole.slice(2))
  assert.match(outputs.get(others.find((command) => command.includes('Last-Event-ID')) ?? '') ?? '', /event: complete/)

  assert.equal(answerOf(/say: two/)['session_id'], id)
  const shell = answerOf(/exit 3/)
  assert.deepEqual([shell['success'], shell['exit_code']], [true, 3])
  const session = answerOf(/^curl -s \S*\/sessions\/\$ID$/)
  assert.equal(shell['output'], `${String(session['workspace'])}\n`)
  assert.equal([session['runs']].flat().length, 3)
  const { messages } = answerOf(/^curl -s \S*\/sessions\/\$ID\/messages$/)
  assert.deepEqual(
    [messages].flat().map((message) => fields(message)['role']),
    ['user', 'assistant', 'user', 'assistant', 'user', 'assistant'],
  )
  assert.equal(answerOf(/-X DELETE/)['session_id'], id)
  assert.match(String(answerOf(/stream-token/)['stream_url']), new RegExp(`/sessions/${String(id)}/stream\\?`))

  outputOf(/^FILES=/)
  const { session_id: filesId } = answerOf(/\$FILES\\"}"$/)
  assert.equal(answerOf(/-X PUT/)['path'], 'notes.txt')
  assert.equal(outputOf(/^curl -s \S*\$FILES\/files\/content/), 'By hand')
  assert.match(outputOf(/diff\?format=patch/), /^\+By hand$/m)
  assert.equal(outputOf(/\/archive/), 'notes.txt\n')
  assert.notEqual(filesId, id)

  outputOf(/^LONG=/)
  outputOf(/^until .*\$LONG/)
  const { session_id: longId } = answerOf(/sleep 600/)
  const stopped = answerOf(/\$LONG\/cancel/)
  assert.deepEqual([stopped['session_id'], stopped['status']], [longId, cancelled?.['status']])
  assert.deepEqual(Object.keys(fields(stopped['receipt'])), Object.keys(fields(cancelled?.['receipt'])))
  assert.equal(fields(stopped['receipt'])['aborted_sessions'], 1)

  outputOf(/^ASKING=/)
  const { session_id: askingId } = answerOf(/question:/)
  const { asks } = answerOf(/^until .*\$ASKING/)
  outputOf(/^ASK=/)
  const { ask_id: askId } = fields([asks].flat()[0])
  assert.deepEqual(answerOf(/"answers"/), { session_id: askingId, ask_id: askId, answer: { answers: [['blue']] } })

  outputOf(/^BROKEN=/)
  const { session_id: brokenId, run_id: brokenRun } = answerOf(/error: 401/)
  assert.equal(answerOf(/^until .*\$BROKEN/)['status'], 'failed')
  const again = answerOf(/\$BROKEN\/retry/)
  assert.equal(again['session_id'], brokenId)
  assert.notEqual(again['run_id'], brokenRun)

  const { rows } = answerOf(/usage\?by=day/)
  assert.equal(fields([rows].flat()[0])['model'], 'scripted/scripted')
  const [head, ...perSession] = outputOf(/usage\?by=session&format=csv/)
    .trimEnd()
    .split('\n')
  assert.match(head ?? '', /^session,model,calls,/)
  assert.ok(perSession.some((line) => line.startsWith(`${String(id)},scripted/scripted,2,`)))
  assert.equal(answerOf(/"budget"/)['success'], true)
  const asked = answerOf(/"model_config"/)
  assert.deepEqual(JSON.parse(String(asked['output'])), {
    temperature: 0.2,
    max_tokens: 1000,
    tools: ['grep', 'read'],
  })
  const delivered = answerOf(/"push": true/)
  assert.equal(delivered['pushed'], true)
  assert.equal(await git.git('app', 'rev-parse', String(delivered['branch'])), delivered['commit'])
  assert.equal(await git.git('app', 'log', '-1', '--format=%s', String(delivered['commit'])), 'Add notes')
  assertExported(await (await fetch(`${url}/metrics`, { signal: t.signal })).text())
  assert.deepEqual([...taken].toSorted(), others.toSorted(), 'a command of the README that nothing is asserted of')
})

/** `npm start`, with no settings but these; settles with the address it listens on. */
async function startGateway(t: TestContext, settings: Readonly<Record<string, string>>): Promise<string> {
  const dataDir = mkdtempSync(`${tmpdir()}/readme-test-`)
  t.after(() => rmSync(dataDir, { recursive: true, force: true, maxRetries: 3 }))
  // Settings of this machine must not send prompts to a real model: an empty one is none.
  const unset = [...read('.env.example').matchAll(/^#([A-Z_]+)=/gm)].map(([, name = '']) => [name, ''])
  const child = spawn(process.execPath, [fileURLToPath(new URL('scripts/toolchain.mjs', root)), 'start'], {
    env: { ...process.env, ...Object.fromEntries(unset), ...settings, DATA_DIR: dataDir, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = text(child.stderr)
  t.after(async () => {
    const closed = once(child, 'close')
    child.kill('SIGTERM')
    await closed
  })
  for await (const line of createInterface({ input: child.stdout, signal: t.signal })) {
    const record = line.startsWith('{') ? fields(JSON.parse(line)) : {}
    if (typeof record['address'] !== 'string') continue
    child.stdout.resume()
    return record['address']
  }
  assert.fail(`the gateway ended before it listened:\n${await said}`)
}

/** Output of each command, run in one bash that stops at the first failure; `instead`: what stands here for what is written. */
async function runInOneShell(
  t: TestContext,
  lines: readonly string[],
  instead: Readonly<Record<string, string>>,
): Promise<Map<string, string>> {
  const mark = '== end of a command =='
  const script = ['set -euo pipefail', ...lines.map((line) => `${line}\nprintf '%s' '${mark}'`)].join('\n')
  const here = Object.entries(instead).reduce((text, [written, actual]) => text.replaceAll(written, actual), script)
  const child = spawn('bash', ['-c', here], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: t.signal,
  })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  const outputs = stdout.split(mark)
  assert.equal(code, 0, `after ${lines[outputs.length - 1]}: ${outputs.at(-1)}\n${stderr}`)
  return new Map(lines.map((line, index) => [line, outputs[index] ?? '']))
}

/** The answer to a request without a prompt. */
async function refusedBy(url: string): Promise<Record<string, unknown>> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${url}/run`, { method: 'POST', headers, body: '{}' })
  return fields(await response.json())
}

/** The same members, and where the sample shows more than that something is left out, the same values. */
function assertLike(actual: Record<string, unknown>, sample: Record<string, unknown> = {}): void {
  assert.deepEqual(Object.keys(actual).toSorted(), Object.keys(sample).toSorted())
  for (const [name, value] of Object.entries(sample)) {
    const shown = JSON.stringify(value)
    if (shown !== '"…"' && shown !== '{}' && name !== 'execution_time') assert.deepEqual(actual[name], value, name)
  }
}

const idsIn = (stream: string): number[] => [...stream.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))

function fields(value: unknown): Record<string, unknown> {
  assert.ok(typeof value === 'object' && value !== null, `${JSON.stringify(value)} is no object`)
  return { ...value }
}
