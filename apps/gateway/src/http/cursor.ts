import { GatewayError } from '@opencode-gateway/contracts'

/** A place in the log: after the event with this id, or after whatever is last when asked. */
export type Cursor = { at: 'id'; after: number } | { at: 'tail' }

/**
 * `Last-Event-ID` wins over `?after=`; without either the log is read from its beginning. An empty Last-Event-ID is
 * what a client sends that has seen no id yet.
 */
export function readCursor(lastEventId: string | undefined, after: string | undefined): Cursor {
  const [text, field] = lastEventId ? [lastEventId, 'Last-Event-ID'] : [after, 'after']
  if (text === undefined || text === '') return { at: 'id', after: 0 }
  if (text === 'tail' && field === 'after') return { at: 'tail' }
  const id = Number(text)
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(id)) {
    const got = JSON.stringify(text.slice(0, 64))
    throw new GatewayError(
      'INVALID_CURSOR',
      `The cursor ${got} is not the id of an event. Send the id of the last event you have.`,
      {
        details: { field, reason: 'must be a whole number' },
      },
    )
  }
  return { at: 'id', after: id }
}

export interface ListCursor {
  createdAt: number
  sessionId: string
}

export function writeListCursor({ createdAt, sessionId }: ListCursor): string {
  return Buffer.from(`${createdAt}.${sessionId}`).toString('base64url')
}

export function readListCursor(cursor: string): ListCursor {
  const [, createdAt, sessionId] =
    /^(\d{1,16})\.([0-9a-f-]{36})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (createdAt === undefined || sessionId === undefined) throw notOurs()
  return { createdAt: Number(createdAt), sessionId }
}

export const writeNameCursor = (name: string): string => Buffer.from(`name.${name}`).toString('base64url')

export function readNameCursor(cursor: string): string {
  const [, name] = /^name\.([A-Za-z0-9._-]{1,64})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (name === undefined) throw notOurs()
  return name
}

function notOurs(): GatewayError {
  return new GatewayError('INVALID_CURSOR', 'The cursor is none of ours. Send the next_cursor of the page before.', {
    details: { field: 'cursor', reason: 'must be the next_cursor of a page' },
  })
}
