export { isLocalName, readHost, type ReadHost } from './host.ts'
export { isAddress, isAddressPublic, isNeverMeant } from './public-address.ts'
