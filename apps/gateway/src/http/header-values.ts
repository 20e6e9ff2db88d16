import type { IncomingMessage } from 'node:http'

/**
 * Every value that a request has of a header; `name` in lower case. Node's other forms join or drop what is sent twice,
 * or are missing from requests that are injected.
 */
export function headerValues({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>, name: string): readonly string[] {
  const values: string[] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const [found = '', value = ''] = [rawHeaders[index], rawHeaders[index + 1]]
    if (found.length === name.length && found.toLowerCase() === name) values.push(value)
  }
  return values
}
