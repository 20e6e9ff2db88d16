/** A provider as the proxy calls it. Holds secrets: it is never logged. */
export interface Upstream {
  readonly origin: string
  /** Without a slash at its end. */
  readonly basePath: string
  /** Sent with every call, over what the engine says. Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Undefined for one that asks for none. */
  readonly key: string | undefined
}

/** Throws a `TypeError` when the address is no http(s) URL. */
export function createUpstream(
  address: string,
  { headers = {}, key }: { headers?: Readonly<Record<string, string>>; key?: string | undefined } = {},
): Upstream {
  const url = new URL(address)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new TypeError(`"${url.protocol}" is not http(s)`)
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
  return {
    origin: url.origin,
    basePath: url.pathname.replace(/\/+$/, ''),
    headers: Object.fromEntries(lower),
    key,
  }
}
