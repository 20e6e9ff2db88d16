import { readAll, type Daemon } from './daemon.ts'
import { Refusal } from './refusal.ts'

/** The configured image in the daemon. Throws a 404 as the daemon itself does. */
export async function findImage(
  daemon: Daemon,
  reference: string,
  signal: AbortSignal,
): Promise<{ id: string; description: string }> {
  const answer = await daemon.call({ method: 'GET', path: `/images/${pathOf(reference)}/json`, signal })
  const description = await readAll(answer)
  if (answer.status !== 200) throw new Refusal(`No such image: ${reference}`, answer.status === 404 ? 404 : 502)
  const { Id: id } = JSON.parse(description)
  if (typeof id !== 'string') throw new Refusal('the daemon does not say which image it is', 502)
  return { id, description }
}

const pathOf = (reference: string): string => reference.split('/').map(encodeURIComponent).join('/')
