import type { IncomingHttpHeaders } from 'node:http'
import { isLoopback } from '../config/addresses.ts'

/**
 * Whether a browser sent the request for a page that is not ours. A gateway without keys trusts whoever reaches
 * loopback, and every web page in the operator's browser does: by a plain form post, or, with a name that is rebound to
 * 127.0.0.1, as its own origin.
 */
export function isForeignPage(headers: IncomingHttpHeaders, options: { loopbackOnly: boolean }): boolean {
  const { host = '', origin, 'sec-fetch-site': site } = headers
  if (options.loopbackOnly && !isLoopback(host.replace(/:\d+$/, ''))) return true
  if (origin !== undefined) return !URL.canParse(origin) || new URL(origin).host !== host
  return site === 'cross-site' || site === 'same-site'
}
