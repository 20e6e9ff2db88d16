import { Type } from 'typebox'

/** Request headers with a meaning of their own; they are read where they are used. */
const known = {
  prefer: Type.String({ description: '`respond-async`: answer 202 at once. `wait=N`: answer 202 after N seconds.' }),
  'idempotency-key': Type.String({ description: 'The same key and body within 24 hours lead to the same run.' }),
  range: Type.String({ description: 'One range of bytes; several are answered with the whole.' }),
  'if-range': Type.String({ description: 'The whole is sent unless the file still has this ETag.' }),
  'if-none-match': Type.String({ description: 'Answer 304 when the file still has one of these ETags.' }),
  'if-match': Type.String({ description: 'Write only when the file still has this ETag; `*`: when it is there.' }),
  upgrade: Type.String({ description: '`websocket`, with the handshake of RFC 6455.' }),
  'last-event-id': Type.String({ description: 'Id of the last event the reader has; wins over `after`.' }),
}

/** A schema of headers a route reads, for its documentation. */
export const headers = (...names: (keyof typeof known)[]) =>
  Type.Object(Object.fromEntries(names.map((name) => [name, Type.Optional(known[name])])))
