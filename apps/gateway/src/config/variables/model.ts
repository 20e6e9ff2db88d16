import { unattended, type PermissionRules } from '@opencode-gateway/contracts'
import * as parse from '../parsers.ts'
import { jsonVariable, optional, variable } from '../variable.ts'

/** Which models there are, and what the agent may do. */
export const modelVariables = {
  model: optional('OPENCODE_MODEL', parse.model, 'Model of a request that names none: "provider/model".'),
  modelEndpointHosts: optional(
    'MODEL_ENDPOINT_HOSTS',
    parse.hostList,
    'Hosts that `api_endpoint` of a request or a provider configuration may name, "host" or "host:port" with commas between; none unless set.',
  ),
  maxProviders: variable(
    'MAX_PROVIDERS',
    parse.integer(1, 10_000),
    '50',
    'Provider configurations (`/providers`) of one tenant; beyond it the answer is 409.',
  ),
  keptProviderVersions: variable(
    'MAX_PROVIDER_VERSIONS',
    parse.integer(1, 100),
    '10',
    'Versions of a provider configuration that are kept, the newest ones.',
  ),
  authJson: optional('OPENCODE_AUTH_JSON', parse.jsonObject, "Content of the engine's auth.json.", { secret: true }),
  authToken: optional('OPENCODE_AUTH_TOKEN', parse.text, 'Token of an OpenCode account, handed to the engine.', {
    secret: true,
  }),
  configJson: optional('OPENCODE_CONFIG_JSON', parse.jsonObject, "Content of the engine's configuration.", {
    secret: true,
  }),

  permissions: jsonVariable<PermissionRules>(
    'PERMISSIONS',
    parse.permissions,
    unattended,
    'What the agent may do at most: rules in the form of OpenCode, as JSON. A request can only narrow them.',
  ),
}
