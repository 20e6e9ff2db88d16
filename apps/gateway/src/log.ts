import { pino } from 'pino'
import pretty from 'pino-pretty'
import type { FastifyBaseLogger } from 'fastify'

export interface LogOptions {
  level: string
  /** For people instead of programs. */
  pretty: boolean
}

/** Secrets are not put into what is logged; this is for the day somebody does. */
const REDACTED = ['authorization', 'password', 'token', 'apiKey', 'secrets'].flatMap((name) => [
  name,
  `*.${name}`,
  `*.*.${name}`,
])

export function createLog({ level, pretty: forPeople }: LogOptions): FastifyBaseLogger {
  const formatters = { level: (label: string) => ({ level: label }) }
  const options = { level, formatters, redact: REDACTED, base: null, timestamp: pino.stdTimeFunctions.isoTime }
  return forPeople ? pino(options, pretty({ destination: 1, sync: true, singleLine: true })) : pino(options)
}
