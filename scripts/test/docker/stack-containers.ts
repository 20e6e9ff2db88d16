import assert from 'node:assert/strict'
import type { Stack } from './compose.ts'
import { docker } from './docker.ts'

export interface Inspected {
  Id: string
  Config: { User: string; Healthcheck?: { Test: readonly string[] }; Labels: Readonly<Record<string, string>> }
  State: { Health?: { Status: string } }
  HostConfig: {
    Binds: readonly string[]
    CapAdd: readonly string[] | null
    CapDrop: readonly string[]
    LogConfig: { Config: Readonly<Record<string, string>> }
    Memory: number
    NetworkMode: string
    PidsLimit: number
    Privileged: boolean
    ReadonlyRootfs: boolean
    RestartPolicy: { Name: string }
    SecurityOpt: readonly string[]
  }
}

/** What of the project is there, asked for by its profiles or not. */
export async function containersOf({ project }: Stack): Promise<readonly Inspected[]> {
  const filter = `label=com.docker.compose.project=${project}`
  const ids = (await docker('ps', '--all', '--quiet', '--filter', filter)).stdout.trim().split('\n')
  return await Promise.all(ids.map(async (id) => JSON.parse((await docker('inspect', id)).stdout)[0]))
}

/** A health check is right when it is content with what runs, and not when that is stopped and answers nothing. */
export async function assertAsksInEarnest(id: string, [kind = '', ...check]: readonly string[] = []): Promise<void> {
  assert.equal(kind, 'CMD')
  const all = (signal: string) => docker('exec', id, 'sh', '-c', `kill -${signal} -1`)
  const ask = async () => (await docker('exec', id, 'timeout', '6', ...check)).code
  assert.equal(await ask(), 0)
  await all('STOP')
  try {
    assert.notEqual(await ask(), 0, check.join(' '))
  } finally {
    await all('CONT')
  }
}
