import type { GitCredential } from './credentials.ts'
import type { Remote } from './remote.ts'

/** One call to a remote: where to, by which addresses, as whom. */
export interface RemoteCall {
  remote: Remote
  addresses: readonly string[]
  credential: GitCredential | undefined
  /** Where ssh remembers the keys of hosts. */
  knownHostsFile: string
}
