import { GatewayError, type FieldProblem, type ProviderVersion } from '@opencode-gateway/contracts'
import { providerAddresses } from '@opencode-gateway/model-proxy'
import { isAllowedEndpoint } from '../orders/endpoint-hosts.ts'
import { oneOrAll } from '../http/one-or-all.ts'

/** What a version of a configuration is to be. */
export type ProviderDraft = Pick<ProviderVersion, 'kind' | 'endpoint' | 'model'> & {
  key: string | undefined
  isDefault: boolean
}

/** INVALID_REQUEST for what contradicts itself, UNSUPPORTED_OPTION for an address that may not be called. */
export function checkDraft(
  { kind, endpoint, model, key, isDefault }: ProviderDraft,
  endpointHosts: readonly string[],
): void {
  const problems: FieldProblem[] = []
  if (endpoint === undefined && providerAddresses[kind] === undefined) {
    problems.push({ field: 'api_endpoint', reason: 'is required with this kind, which has no address of its own' })
  } else if (endpoint === undefined && key === undefined) {
    problems.push({ field: 'api_key', reason: 'is required without an api_endpoint' })
  }
  if (isDefault && model === undefined) problems.push({ field: 'model', reason: 'is required for the default' })
  if (problems.length > 0) throw refusal('INVALID_REQUEST', problems)
  if (endpoint === undefined || isAllowedEndpoint(endpoint, endpointHosts)) return
  const reason = 'is not at a host that may be named (MODEL_ENDPOINT_HOSTS)'
  throw refusal('UNSUPPORTED_OPTION', [{ field: 'api_endpoint', reason }])
}

/** The key that a new version has: whoever does not know the key cannot have it sent to another address. */
export function keyOfDraft(
  asked: string | null | undefined,
  { kind, endpoint }: Pick<ProviderDraft, 'kind' | 'endpoint'>,
  newest: (Pick<ProviderDraft, 'kind' | 'endpoint'> & { sealedKey: string | undefined }) | undefined,
): { from: 'request'; key: string } | { from: 'newest' } | undefined {
  if (typeof asked === 'string') return { from: 'request', key: asked }
  if (asked === null || newest?.sealedKey === undefined) return undefined
  if (newest.kind === kind && newest.endpoint === endpoint) return { from: 'newest' }
  const reason = 'must be sent again with another kind or api_endpoint, or be null'
  throw refusal('INVALID_REQUEST', [{ field: 'api_key', reason }])
}

function refusal(code: 'INVALID_REQUEST' | 'UNSUPPORTED_OPTION', problems: FieldProblem[]): GatewayError {
  const text = problems.map(({ field, reason }) => `${field} ${reason}`).join('; ')
  return new GatewayError(code, `${text}.`, { details: oneOrAll(problems) })
}
