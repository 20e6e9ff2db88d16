import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import { tempDir } from './temp-dir.mjs'

const oxlint = fileURLToPath(new URL('../../node_modules/.bin/oxlint', import.meta.url))
const config = JSON.parse(readFileSync(new URL('../../.oxlintrc.json', import.meta.url), 'utf8'))

const environment = `export const home = process.env['HOME']`
/** @param {string} name */
const names = (name) => `export * from '${name}'`

/** @type {[file: string, source: string][]} */
const refused = [
  ['apps/gateway/src/server.ts', environment],
  ['apps/docker-gate/src/server.ts', environment],
  ['packages/sessions/src/run.ts', environment],
  ['packages/sessions/src/run.ts', `import { env } from 'node:process'\nexport const home = env['HOME']`],
  ['packages/sessions/src/run.ts', `import process from 'node:process'\nexport const home = process['env']`],
  ['packages/sessions/src/run.ts', names('@opencode-ai/sdk')],
  ['packages/executor-server/src/run.ts', `export type { Session } from '@opencode-ai/sdk/v2'`],
  ['packages/sessions/test/run.test.ts', names('@opencode-ai/sdk/v2/client')],
  ['packages/sessions/src/run.ts', names('typebox/value')],
  ['packages/sessions/src/run.ts', names('@opencode-gateway/store-sqlite')],
  ['packages/sessions/src/run.ts', names('@opencode-gateway/gateway')],
  ['packages/contracts/src/run.ts', names('@opencode-gateway/sessions')],
  ['packages/store-sqlite/src/run.ts', names('@opencode-gateway/store-testing')],
  ['packages/opencode/src/run.ts', names('@opencode-gateway/executor-server')],
  ['packages/executor-server/src/run.ts', names('@opencode-gateway/executor-docker')],
  ['packages/executor-server/src/run.ts', names('@opencode-gateway/executor-testing')],
  ['packages/executor-server/src/run.ts', names('fastify')],
  ['packages/executor-docker/src/run.ts', names('@fastify/sse')],
  ['packages/executor-docker/src/run.ts', names('@opencode-gateway/egress-proxy')],
  ['apps/gateway/src/app.ts', names('@opencode-gateway/executor-server')],
  ['apps/gateway/src/app.ts', `export const executor = await import('@opencode-gateway/executor-docker')`],
  ['apps/gateway/src/app.ts', names('@opencode-gateway/opencode')],
  ['apps/gateway/src/config.ts', names('@opencode-gateway/executor-server')],
  ['apps/gateway/src/executors.ts', names('@opencode-gateway/executor-testing')],
]

/** @type {[file: string, source: string][]} */
const allowed = [
  ['apps/gateway/src/config.ts', environment],
  ['apps/docker-gate/src/config.ts', environment],
  ['apps/gateway/src/executors.ts', names('@opencode-gateway/executor-server')],
  ['apps/gateway/src/app.ts', names('typebox')],
  ['apps/gateway/src/app.ts', names('@opencode-gateway/sessions')],
  ['apps/gateway/test/app.test.ts', names('@opencode-gateway/executor-testing')],
  ['packages/contracts/src/run.ts', names('typebox/value')],
  ['packages/opencode/src/run.ts', names('@opencode-ai/sdk/v2')],
  ['packages/opencode/test/run.test.ts', names('@opencode-ai/sdk/v2')],
  ['packages/egress-proxy/src/run.ts', names('@opencode-gateway/addresses')],
  ['packages/executor-docker/src/run.ts', names('@opencode-gateway/opencode')],
  ['packages/executor-docker/src/run.ts', names('@opencode-gateway/workspaces')],
  ['packages/sessions/src/run.ts', names('@opencode-gateway/contracts')],
  ['packages/sessions/test/run.test.ts', names('@opencode-gateway/store-sqlite')],
  ['scripts/smoke.ts', environment],
]

/**
 * @param {import('node:test').TestContext} t
 * @param {string} file
 * @param {string} source
 * @returns {string[]} the rules that were broken
 */
function lint(t, file, source) {
  // Types need installed packages; no rule here does.
  const options = { ...config.options, typeAware: false }
  const dir = tempDir(t, { '.oxlintrc.json': JSON.stringify({ ...config, options }), [file]: `${source}\n` })
  const { stdout } = spawnSync(oxlint, ['--format=json', file], { cwd: dir, encoding: 'utf8' })
  /** @type {{ number_of_files: number, diagnostics: { code: string }[] }} */
  const report = JSON.parse(stdout)
  assert.equal(report.number_of_files, 1)
  return report.diagnostics.map(({ code }) => code)
}

for (const [file, source] of refused) {
  test(`${file} may not: ${source.replaceAll('\n', '; ')}`, (t) => {
    assert.match(lint(t, file, source).join(), /no-restricted-imports|no-process-env/)
  })
}

for (const [file, source] of allowed) {
  test(`${file} may: ${source}`, (t) => {
    assert.deepEqual(lint(t, file, source), [])
  })
}
