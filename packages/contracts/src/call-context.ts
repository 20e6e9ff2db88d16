/** The part of a pino logger that packages use; fields first, a sentence second. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(bindings: Record<string, unknown>): Log
}

/** What every call that may take long is given. An abort means: stop, free what you hold, then settle. */
export interface CallContext {
  signal: AbortSignal
  log: Log
}
