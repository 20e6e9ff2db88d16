/** Whether a request may name this address: a plain one, at one of the hosts. */
export function isAllowedEndpoint(endpoint: string, hosts: readonly string[]): boolean {
  if (!URL.canParse(endpoint)) return false
  const { protocol, host, username, password, search, hash } = new URL(endpoint)
  const plain = /^https?:$/.test(protocol) && username + password + search + hash === ''
  return plain && hosts.includes(host.toLowerCase())
}
