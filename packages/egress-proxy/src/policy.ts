import { isLocalName } from '@opencode-gateway/addresses'
import { fits, type HostRule } from './host-rule.ts'
import { refuseHost } from './refusal.ts'
import type { Target } from './target.ts'

/** Where the containers of all sessions may connect to. */
export interface EgressPolicy {
  /** Hosts that have public addresses alone. */
  hosts: readonly HostRule[]
  /** Hosts that are meant whatever address they have, of this machine for one. */
  privateHosts: readonly HostRule[]
  /** Of these, the ones that one session may connect to; all unless given. */
  only?: readonly HostRule[] | undefined
}

export type Trust = 'public' | 'any'

/** Which addresses the target may have. Throws `Refusal` when it may have none. Looks nothing up. */
export function judge(target: Target, { hosts, privateHosts, only }: EgressPolicy): Trust {
  if (only && !only.some((rule) => fits(target, rule)))
    throw refuseHost(target, 'is not among the hosts of this session (resources.egress)')
  if (privateHosts.some((rule) => fits(target, rule))) return 'any'
  if (!hosts.some((rule) => fits(target, rule)))
    throw refuseHost(target, 'is not among the hosts that are allowed (DOCKER_EGRESS)')
  if (isLocalName(target.host))
    throw refuseHost(target, 'is a name of a private network and not in DOCKER_EGRESS_PRIVATE')
  return 'public'
}
