import { BlockList, isIPv4, isIPv6 } from 'node:net'

// Everything of the IANA special-purpose registries that is not globally reachable unicast.
const SPECIAL_IPV4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
  // Clouds answer with machine credentials here, and it looks public.
  ['168.63.129.16', 32],
] as const
// Only 2000::/3 is global unicast; these are what is not public within it. 2002::/16 and 2001::/23 carry other addresses.
const SPECIAL_IPV6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
] as const

// One list for each family: a list takes an IPv4 address for one of ::ffff:0:0/96.
const specialIpv4 = listOf(SPECIAL_IPV4, 'ipv4')
const specialIpv6 = listOf(SPECIAL_IPV6, 'ipv6')
const globalIpv6 = listOf([['2000::', 3]], 'ipv6')

// Whoever lists private addresses on purpose does not mean these: machine credentials, every machine, no machine.
const NEVER_IPV4 = [
  ['0.0.0.0', 8],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['192.0.0.192', 32],
  ['224.0.0.0', 3],
] as const
const NEVER_IPV6 = [
  ['::', 128],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['fd00:ec2::', 32],
  ['fd20:ce::', 32],
  ['fe80::', 10],
  ['ff00::', 8],
] as const
const neverIpv4 = listOf(NEVER_IPV4, 'ipv4')
const neverIpv6 = listOf(NEVER_IPV6, 'ipv6')

/** Whether an address leads to the machine's own metadata, to nobody or to everybody: never of use to an agent. */
export function isNeverMeant(address: string): boolean {
  return isIPv4(address) ? neverIpv4.check(address, 'ipv4') : neverIpv6.check(address, 'ipv6')
}

/** Whether an address is one that the whole Internet reaches. */
export function isAddressPublic(address: string): boolean {
  if (isIPv4(address)) return !specialIpv4.check(address, 'ipv4')
  return isIPv6(address) && globalIpv6.check(address, 'ipv6') && !specialIpv6.check(address, 'ipv6')
}

/** Whether it is an address and not a name. */
export function isAddress(host: string): boolean {
  return isIPv4(host) || isIPv6(host)
}

function listOf(nets: readonly (readonly [net: string, prefix: number])[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  for (const [net, prefix] of nets) list.addSubnet(net, prefix, family)
  return list
}
