import { Type, type Static } from 'typebox'
import { request } from './request-schema.ts'
import { StatusSchema } from './values.ts'
import { wireLimits } from './wire-limits.ts'

export const AskParams = Type.Object({ id: Type.String({ format: 'uuid' }), ask_id: Type.String({ maxLength: 128 }) })

export const SessionParams = Type.Object({ id: Type.String({ format: 'uuid' }) })

export const SessionListQuery = request(
  'SessionListQuery',
  {
    status: Type.Optional(StatusSchema),
    executor: Type.Optional(Type.String({ maxLength: 64 })),
    label: Type.Optional(Type.String({ maxLength: 200, pattern: '^[^=]+=.*$', description: '`name=value`.' })),
    cursor: Type.Optional(Type.String({ maxLength: 128 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: wireLimits.pageSessions, default: 50 })),
  },
  'Which sessions, newest first.',
)
export type SessionListQuery = Static<typeof SessionListQuery>

export const StreamQuery = request(
  'StreamQuery',
  {
    after: Type.Optional(
      Type.String({ maxLength: 32, description: 'Only events after this id; `tail` for none yet written.' }),
    ),
    follow: Type.Optional(Type.Boolean({ default: false, description: 'Stay for later runs.' })),
    token: Type.Optional(Type.String({ maxLength: 512, description: 'A stream token, in place of a key.' })),
  },
  'Where a stream begins.',
)
export type StreamQuery = Static<typeof StreamQuery>

export const EventsQuery = request(
  'EventsQuery',
  {
    after: Type.Optional(Type.String({ maxLength: 32 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: wireLimits.pageEvents, default: 100 })),
    wait: Type.Optional(
      Type.Number({ minimum: 0, maximum: wireLimits.waitSeconds, description: 'Seconds to wait for an event.' }),
    ),
  },
  'A page of the log.',
)
export type EventsQuery = Static<typeof EventsQuery>
