import { GatewayError, type ProviderRow } from '@opencode-gateway/contracts'

/** What a writer expects to find: nothing, anything (`*`), or what has this tag. */
export interface Expected {
  ifMatch?: string
  ifAbsent?: boolean
}

/** Without quotes; another one for every change, and for another life of the name. */
export const tagOf = ({ providerId, version, isDefault }: ProviderRow): string =>
  `${providerId.slice(0, 8)}-${version}${isDefault ? '-default' : ''}`

/** PRECONDITION_FAILED. */
export function requireExpected({ ifMatch, ifAbsent }: Expected, newest: ProviderRow | undefined): void {
  if (ifAbsent === true && newest) throw changed('is there already')
  if (ifMatch === undefined) return
  if (!newest) throw changed('is not there')
  if (ifMatch !== '*' && ifMatch !== tagOf(newest)) throw changed('has changed')
}

export function changed(what: string): GatewayError {
  return new GatewayError('PRECONDITION_FAILED', `The provider configuration ${what}. Read it again.`)
}
