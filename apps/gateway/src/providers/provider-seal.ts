import { GatewayError, type ProviderPlace, type ProviderVersion } from '@opencode-gateway/contracts'
import { SealingError, type Sealing } from '@opencode-gateway/sealing'

/** Which key it is: one that is put in another's place does not open. */
export type KeyPlace = ProviderPlace & Pick<ProviderVersion, 'tenant' | 'name'>

export const keyContext = ({ tenant, name, providerId, version }: KeyPlace): string =>
  `provider key ${JSON.stringify([tenant, name, providerId, version])}`

/** UNSUPPORTED_OPTION where there is no key to seal with. */
export function sealKey(key: string, place: KeyPlace, sealing: Sealing | undefined): string {
  if (sealing) return sealing.seal(key, keyContext(place))
  throw new GatewayError(
    'UNSUPPORTED_OPTION',
    'Keys of providers are kept only encrypted, and the gateway has no ENCRYPTION_KEY. Set one (openssl rand -base64 32).',
    { details: { field: 'api_key', reason: 'needs ENCRYPTION_KEY, which this gateway does not have' } },
  )
}

/** Undefined for a version without a key; UNSUPPORTED_OPTION, with the field, for one that cannot be opened. */
export function openKey(
  version: KeyPlace & Pick<ProviderVersion, 'sealedKey'>,
  sealing: Sealing | undefined,
  field: string,
): string | undefined {
  const { name, sealedKey } = version
  if (sealedKey === undefined) return undefined
  try {
    if (sealing) return sealing.open(sealedKey, keyContext(version))
  } catch (error) {
    if (!(error instanceof SealingError)) throw error
    throw unreadable(name, field, error.message, error)
  }
  throw unreadable(name, field, 'the gateway has no ENCRYPTION_KEY', undefined)
}

function unreadable(name: string, field: string, why: string, cause: unknown): GatewayError {
  return new GatewayError(
    'UNSUPPORTED_OPTION',
    `The key of the provider configuration "${name}" cannot be read: ${why}. Set ENCRYPTION_KEY_PREVIOUS to the key it was sealed with, or write the configuration again with its api_key.`,
    { details: { field, reason: 'has a key that cannot be read' }, cause },
  )
}
