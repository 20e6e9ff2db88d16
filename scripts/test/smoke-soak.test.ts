import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { serveFakeGateway, type Faults } from './fake-gateway.ts'

interface Ended {
  code: number
  stdout: string
  stderr: string
}

test('A3: a smoke that finds something wrong says what, exits with 1 and keeps what it saw', async (t) => {
  assert.equal((await smoke(t, {})).code, 0)
  const container = { name: 'docker', isolation: 'container' }
  const version = '1.18.33'
  const cases: readonly (readonly [Faults, RegExp])[] = [
    [{ identity: { engine: { version: null } } }, /^FAILED {2}identity: no version of an engine/m],
    [{ identity: { executor: container, engine: { version, image: 'engine:1' } } }, /^FAILED {2}identity: no digest/m],
    [{ losesExitCodes: true }, /^FAILED {2}exit code: not exit code 3 but/m],
    [{ cutsStreams: true }, /^FAILED {2}events: /m],
  ]
  for (const [faults, told] of cases) {
    const artifacts = tempDirectory(t)
    const { code, stderr } = await smoke(t, faults, '--artifacts', artifacts)
    assert.equal(code, 1)
    assert.match(stderr, told)
    assert.ok(stderr.includes(`what was seen is in ${artifacts}`))
    const { steps, sessionId } = JSON.parse(readFileSync(join(artifacts, 'report.json'), 'utf8'))
    assert.equal(steps.at(-1).ok, false)
    if (sessionId !== undefined)
      assert.deepEqual(JSON.parse(readFileSync(join(artifacts, 'events.json'), 'utf8')).events, [])
  }
})

test('A4: a soak counts what failed, what broke off and what is left', async (t) => {
  const right = await soak(t, {})
  assert.deepEqual(
    [right.code, right.report.success, right.report.sse],
    [0, 4, { opened: 4, complete: 4, disconnects: 0 }],
  )
  const cut = await soak(t, { cutsStreams: true })
  assert.deepEqual([cut.code, cut.report.failed, cut.report.sse.disconnects], [1, 4, 4])
  const mixed = await soak(t, { sharesDirectory: true })
  assert.equal(mixed.code, 1)
  assert.match(mixed.report.failures[0].error, /files of another run are seen/)
  const kept = await soak(t, { keepsSessions: true })
  assert.deepEqual([kept.code, kept.report.success, kept.report.open_sessions.left.length], [1, 4, 4])
})

test('A3, A4: arguments that make no sense are told', async (t) => {
  for (const [script, ...args] of [
    ['smoke', '--baseUrl', 'nowhere'],
    ['smoke', '--timeout', 'soon'],
    ['smoke', '--what'],
    ['soak', '--runs', '0'],
    ['soak', '--baseUrl', 'nowhere'],
  ] as const) {
    const { code, stderr } = await run(t, script, args)
    assert.deepEqual([code, stderr.trimEnd().split('\n').length], [64, 1], stderr)
    assert.match(stderr, new RegExp(`^${script}: .*; usage: ${script} `))
  }
})

async function smoke(t: TestContext, faults: Faults, ...args: readonly string[]): Promise<Ended> {
  return await run(t, 'smoke', ['--baseUrl', await serveFakeGateway(t, faults), ...args])
}

async function soak(t: TestContext, faults: Faults) {
  const url = await serveFakeGateway(t, faults)
  const { code, stdout } = await run(t, 'soak', ['--baseUrl', url, '--runs', '4', '--concurrency', '2'])
  return { code, report: JSON.parse(stdout) }
}

function run({ signal }: TestContext, script: 'smoke' | 'soak', args: readonly string[]): Promise<Ended> {
  const program = fileURLToPath(new URL(`../stack/${script}.ts`, import.meta.url))
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { signal, env: {} }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    )
  })
}

function tempDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'smoke-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
