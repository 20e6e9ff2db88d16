import { writeFile } from 'node:fs/promises'
import { createDockerExecutor } from '../src/index.ts'
import type { DockerExecutorOptions } from '../src/index.ts'
import { silentLog } from '@opencode-gateway/executor-testing'
import { ctx, soon, until } from './scene.ts'

/** A gateway with a warm pool, which a test kills: takes a container of it for a session, and waits with the next one. */
const options: Pick<DockerExecutorOptions, 'daemon' | 'image' | 'workspaceRoot'> = JSON.parse(process.argv[2] ?? '')
async function openModels(_sessionId: string, socketPath: string) {
  await writeFile(socketPath, '')
  return { close: () => Promise.resolve() }
}
const executor = createDockerExecutor({ ...options, log: silentLog, openModels, warmPool: { size: 1 } })
await executor.start(soon())
const isWarm = () => until(async () => (await executor.check(soon())).warm?.ready === 1)
await isWarm()
const { ref } = await executor.open({ sessionId: 'kept', title: 'Kept' }, ctx())
await isWarm()
process.stdout.write(`${JSON.stringify(ref)}\n`)
setInterval(() => {}, 1_000)
