import { Type, type Static } from 'typebox'
import { eventTypes } from './events.ts'
import { Timestamp } from './values.ts'

/** `data` is validated where it is made; here it is open, so that clients ignore what they do not know. */
export const EventFrame = Type.Object(
  {
    id: Type.Integer({ minimum: 1 }),
    event: Type.Enum([...eventTypes]),
    data: Type.Object({ run_id: Type.Optional(Type.String()), timestamp: Timestamp }, { additionalProperties: true }),
  },
  { $id: 'Event' },
)
export type EventFrame = Static<typeof EventFrame>

export const EventPage = Type.Object(
  {
    events: Type.Array(EventFrame),
    next_after: Type.Integer({ minimum: 0, description: 'Give this as `after` for the next page.' }),
    last_event_id: Type.Integer({ minimum: 0 }),
    ended: Type.Boolean({ description: 'True when no run of the session waits or works.' }),
  },
  { $id: 'EventPage' },
)
export type EventPage = Static<typeof EventPage>

export const Message = Type.Object(
  {
    role: Type.Enum(['user', 'assistant']),
    run_id: Type.String(),
    created_at: Timestamp,
    parts: Type.Array(
      Type.Object(
        {
          type: Type.Enum(['text', 'reasoning', 'tool', 'command', 'stdout', 'stderr']),
          text: Type.Optional(Type.String()),
          call_id: Type.Optional(Type.String()),
          tool: Type.Optional(Type.String()),
          args: Type.Optional(Type.Unknown()),
          status: Type.Optional(Type.Enum(['running', 'completed', 'error'])),
          output: Type.Optional(Type.String()),
          error: Type.Optional(Type.String({ description: 'Why the call of the tool failed, or was refused.' })),
        },
        { $id: 'MessagePart' },
      ),
    ),
  },
  { $id: 'Message' },
)
export type Message = Static<typeof Message>

export const MessageList = Type.Object(
  {
    messages: Type.Array(Message),
    truncated: Type.Boolean({ description: 'True when older messages are not shown.' }),
  },
  { $id: 'MessageList' },
)
