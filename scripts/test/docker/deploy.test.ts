import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { codeBlocks, commandsOf } from '../../readme/markdown.ts'
import { composeCommand, freePort } from './compose.ts'
import { engineImage, missing } from './docker.ts'

const execute = promisify(execFile)
const root = fileURLToPath(new URL('../../../', import.meta.url))
const OPTIONS = { timeout: 280_000, skip: await missing(engineImage) }
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const commands = codeBlocks(readme)
  .filter(({ info }) => info === 'sh deploy')
  .flatMap(commandsOf)

test('the commands of "Deploy" in the README bring up a gateway that passes the smoke', OPTIONS, async (t) => {
  assert.ok(commands.length > 5)
  const directory = mkdtempSync(join(tmpdir(), 'deploy-test-'))
  const port = await freePort()
  const compose = [...(await composeCommand()), '-p', `test-${port}`].join(' ')
  const socket = (process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock').replace(/^unix:\/\//, '')
  const instead: readonly (readonly [string, string])[] = [
    ['docker compose', compose],
    ['cp docker/.env.example docker/.env', `sed 's|^PORT=.*|PORT=${port}|' docker/.env.example > ${directory}/env`],
    ['/srv/opencode-gateway/workspaces', `${directory}/workspaces`],
    ['127.0.0.1:8080', `127.0.0.1:${port}`],
    ['/var/run/docker.sock', socket],
    ['sudo ', ''],
  ]
  const written = (command: string): string =>
    instead
      .reduce((text, [from, to]) => text.replaceAll(from, to), command)
      .replaceAll(/docker\/\.env(?!\.example)/g, `${directory}/env`)
  const point = `sed -i 's|^WORKSPACE_ROOT=.*|WORKSPACE_ROOT=${directory}/workspaces|' ${directory}/env`
  const lines = commands.flatMap((command) => [written(command), ...(command.startsWith('cp ') ? [point] : [])])
  const shell = async (script: string) =>
    await execute('bash', ['-c', `set -euo pipefail\n${script}`], { cwd: root, signal: t.signal })
  t.after(async () => {
    const down = `${compose} --file docker/compose.yaml --env-file ${directory}/env down --volumes --timeout 5`
    await execute('bash', ['-c', down], { cwd: root })
    rmSync(directory, { recursive: true, force: true })
  })
  const { stdout } = await shell(lines.join('\n'))
  assert.match(stdout, /ok +events/)
})
