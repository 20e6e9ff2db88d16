import { readAll, type Daemon } from './daemon.ts'
import { GATE_LABEL } from './rebuild-container.ts'
import { Refusal } from './refusal.ts'

export interface OwnContainer {
  id: string
  sources: readonly string[]
  /** What the daemon says of it, as text. */
  description: string
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/

/** The container of this name or id when it came through this gate; otherwise it does not exist here. */
export async function ownContainer(
  daemon: Daemon,
  name: string,
  mark: string,
  signal: AbortSignal,
): Promise<OwnContainer> {
  if (!NAME.test(name)) throw new Refusal('this is no name of a container', 400)
  const answer = await daemon.call({ method: 'GET', path: `/containers/${name}/json`, signal })
  const description = await readAll(answer)
  const found = answer.status === 200 ? described(description) : undefined
  if (found?.mark === mark) return { ...found, description }
  if (answer.status >= 500) throw new Refusal(`the daemon answers ${answer.status}`, 502)
  throw new Refusal(`No such container: ${name}`, 404)
}

function described(text: string): { id: string; mark: unknown; sources: readonly string[] } | undefined {
  const { Id: id, Config: config, HostConfig: host } = fields(JSON.parse(text))
  if (typeof id !== 'string') return undefined
  const mounts = fields(host).Mounts
  const sources = (Array.isArray(mounts) ? mounts : []).map((mount) => String(fields(mount).Source))
  return { id, mark: fields(fields(config).Labels)[GATE_LABEL], sources }
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
