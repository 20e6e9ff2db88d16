import { randomUUID } from 'node:crypto'

const WELL_FORMED = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/

/** The id a client or proxy gave the request when it is fit for logs and headers, else a new one. */
export function requestIdOf(given: string | string[] | undefined): string {
  return typeof given === 'string' && WELL_FORMED.test(given) ? given : randomUUID()
}
