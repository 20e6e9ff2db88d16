import { lookup } from 'node:dns/promises'
import { isAddress, isAddressPublic } from '@opencode-gateway/addresses'
import { ExecutorError } from '@opencode-gateway/contracts'
import { refused } from './refused.ts'
import type { Remote } from './remote.ts'

export type Resolve = (host: string) => Promise<readonly string[]>

export const resolveHost: Resolve = async (host) => (await lookup(host, { all: true })).map(({ address }) => address)

/**
 * The addresses that git may connect to, asked for once. REPOSITORY_REFUSED when one of them is not public and the host
 * is not trusted, `code` when the name has none.
 */
export async function addressesOf(
  remote: Remote,
  resolve: Resolve,
  code: 'CLONE_FAILED' | 'PUSH_REJECTED',
): Promise<readonly string[]> {
  if (remote.scheme === 'file') return []
  if (isAddress(remote.host)) return [remote.host]
  const addresses = await resolve(remote.host).catch((cause: unknown) => {
    throw new ExecutorError(code, `the host "${remote.host}" has no address; check its name`, {
      cause,
      retryable: true,
    })
  })
  if (!remote.trusted && !addresses.every(isAddressPublic)) {
    throw refused(
      'repository',
      `names the host "${remote.host}", which has an address that is not public and is not in GIT_ALLOWED_HOSTS`,
    )
  }
  return addresses
}
