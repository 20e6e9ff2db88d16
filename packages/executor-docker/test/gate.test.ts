import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { casesFor, engineAbilities, playCase } from '@opencode-gateway/executor-testing'
import { prompt } from '@opencode-gateway/executor-testing/running'
import { containerUser } from '../src/container/container-user.ts'
import { createPlace, ctx, image, missingImage, soon, startScene, until } from './scene.ts'
import type { Place, Scene } from './scene.ts'

/** The cases that need most of the daemon; the others need nothing of it besides. */
const CASES = [
  'no process of a cancelled command lives on',
  'a session is found again by its stored ref, with its files',
  'a sweep removes what no live session needs, and nothing else',
]

/** The gate as operators run it: a process before the daemon, at a socket. */
async function startGate(workspaceRoot: string, socketPath: string): Promise<{ close(): Promise<void> }> {
  const { uid, gid } = containerUser(undefined, { uid: process.getuid?.() ?? 1, gid: process.getgid?.() ?? 1 })
  const server = fileURLToPath(new URL('../../../apps/docker-gate/src/server.ts', import.meta.url))
  const child = spawn(process.execPath, [server], {
    env: {
      LISTEN: `unix://${socketPath}`,
      DOCKER_HOST: process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock',
      DOCKER_USER: `${uid}:${gid}`,
      OPENCODE_IMAGE: image,
      WORKSPACE_ROOT: workspaceRoot,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const exited = once(child, 'exit')
  return {
    async close() {
      child.kill()
      await exited
    },
  }
}

describe('containers behind the gate', { skip: await missingImage() }, () => {
  let place: Place
  let scene: Scene
  before(async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'gate-'))
    const socketPath = path.join(directory, 'docker.sock')
    place = await createPlace({ socketPath })
    const gate = await startGate(place.workspaceRoot, socketPath)
    place.defer(async () => {
      await gate.close()
      await rm(directory, { recursive: true, force: true })
    })
    await until(() =>
      place.daemon.ping(soon()).then(
        () => true,
        () => false,
      ),
    )
    scene = await startScene(place)
  })
  after(() => place?.close())

  const abilities = [...engineAbilities, 'survivesRestart'] as const
  const harness = { name: 'docker, behind the gate', abilities, make: () => Promise.resolve(scene.fixture()) }
  const chosen = casesFor(harness).filter(({ name }) => CASES.includes(name))
  assert.equal(chosen.length, CASES.length)
  for (const one of chosen) test(one.name, () => playCase(one, harness, { limitMs: 120_000 }))

  test('a container that is killed ends its run, and says why', async (t) => {
    const session = await scene.executor.open({ sessionId: 'killed', title: 'Gate' }, ctx())
    t.after(() => session.release('nothing'))
    const run = prompt(session, 'say: begun', 'hang')
    await run.untilText('text', 'begun')
    const [container] = await place.containers()
    await place.daemon.kill(container?.id ?? '', soon())
    const { status, error } = await run.outcome
    assert.equal(`${status} ${error?.code}`, 'interrupted CONTAINER_DIED')
    assert.match(error?.message ?? '', /killed from outside/)
  })
})
