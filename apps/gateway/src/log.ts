import { pino, type DestinationStream } from 'pino'
import type { FastifyBaseLogger } from 'fastify'

export interface LogOptions {
  level: string
  /** Where the lines go; standard output unless given. */
  output?: DestinationStream | undefined
}

/** Secrets are not put into what is logged; this is for the day somebody does. */
const REDACTED = ['authorization', 'password', 'token', 'apiKey', 'secrets'].flatMap((name) => [
  name,
  `*.${name}`,
  `*.*.${name}`,
])

export function createLog({ level, output }: LogOptions): FastifyBaseLogger {
  const formatters = { level: (label: string) => ({ level: label }) }
  const options = { level, formatters, redact: REDACTED, base: null, timestamp: pino.stdTimeFunctions.isoTime }
  return output ? pino(options, output) : pino(options)
}

/** Writes for people instead of programs. Loaded here, so that only a terminal pays for it. */
export async function outputForPeople(): Promise<DestinationStream> {
  const { default: pretty } = await import('pino-pretty')
  return pretty({ destination: 1, sync: true, singleLine: true })
}
