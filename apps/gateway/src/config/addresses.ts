import { isIPv4 } from 'node:net'

/** Whether only this machine can reach an address or host name. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase()
  return (
    name === 'localhost' || name === '::1' || name === '::ffff:127.0.0.1' || (isIPv4(name) && name.startsWith('127.'))
  )
}
