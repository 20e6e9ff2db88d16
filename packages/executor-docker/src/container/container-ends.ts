import type Docker from 'dockerode'

/** A line of the daemon's is about a kilobyte. */
const MAX_LINE = 64 * 1024

/**
 * Ids of the containers with this label that have ended, as the daemon tells it. Ends when the daemon does, throws when
 * the connection breaks; what happened before it began is not told.
 */
export async function containerEnds(
  docker: Docker,
  label: string,
  signal: AbortSignal,
): Promise<AsyncIterable<string>> {
  const filters = JSON.stringify({ type: ['container'], event: ['die', 'destroy'], label: [label] })
  return read(await docker.getEvents({ filters, abortSignal: signal } as Docker.GetEventsOptions))
}

async function* read(stream: NodeJS.ReadableStream): AsyncGenerator<string, void, undefined> {
  let text = ''
  for await (const chunk of stream) {
    text += String(chunk)
    const lines = text.split('\n')
    text = lines.pop() ?? ''
    if (text.length > MAX_LINE) throw new Error('an event of the daemon is longer than any can be')
    for (const line of lines) {
      const id = idOf(line)
      if (id !== undefined) yield id
    }
  }
}

function idOf(line: string): string | undefined {
  if (line.trim() === '') return undefined
  const event: unknown = JSON.parse(line)
  if (typeof event !== 'object' || event === null || !('Actor' in event)) return undefined
  const { Actor: actor } = event
  if (typeof actor !== 'object' || actor === null || !('ID' in actor)) return undefined
  return typeof actor.ID === 'string' ? actor.ID : undefined
}
