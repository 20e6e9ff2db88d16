import { inside } from './inside.ts'

const OWN = 'localhost,127.0.0.1,::1,[::1]'

/** Says to the programs in a container that their way to other hosts is a proxy; to the engine that it is not its own. */
export const egressEnvironment: Readonly<Record<string, string>> = {
  ENGINE_EGRESS: '1',
  HTTP_PROXY: inside.egressProxy,
  HTTPS_PROXY: inside.egressProxy,
  http_proxy: inside.egressProxy,
  https_proxy: inside.egressProxy,
  NO_PROXY: OWN,
  no_proxy: OWN,
  // Node does not look at those by itself.
  NODE_USE_ENV_PROXY: '1',
  // Of the image, for containers without a way out.
  npm_config_offline: 'false',
}
