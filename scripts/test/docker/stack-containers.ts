import type { Stack } from './compose.ts'
import { docker } from './docker.ts'

export interface Inspected {
  Config: { User: string; Labels: Readonly<Record<string, string>> }
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
