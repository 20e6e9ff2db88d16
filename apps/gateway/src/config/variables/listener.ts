import * as parse from '../parsers.ts'
import { optional, variable } from '../variable.ts'

/** Where the gateway listens, and who is let in. */
export const listenerVariables = {
  port: variable('PORT', parse.integer(0, 65_535), '8080', 'Port the gateway listens on; 0 takes a free one.'),
  host: variable(
    'HOST',
    parse.host,
    '127.0.0.1',
    'Address the gateway listens on. Any but a loopback one needs a key.',
  ),
  metricsPort: optional(
    'METRICS_PORT',
    parse.integer(0, 65_535),
    'Port for GET /metrics alone, which asks for no key there; without it /metrics is on PORT, behind the key.',
  ),
  modelProxyPort: variable(
    'MODEL_PROXY_PORT',
    parse.integer(0, 65_535),
    '0',
    'Port on loopback where engines of our own call their models through the gateway, which alone has the keys of the providers; 0 takes a free one.',
  ),
  logLevel: variable(
    'LOG_LEVEL',
    parse.oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    'info',
    'JSON lines on standard output; pretty on a terminal.',
  ),

  apiKey: optional('API_KEY', parse.apiKey, 'The one key clients present. Without a key only loopback is served.', {
    aliases: ['OPENCODE_SHARED_SECRET'],
    secret: true,
  }),
  apiKeysFile: optional(
    'API_KEYS_FILE',
    parse.text,
    'JSON file with several keys: id, hash (sha256, hex), tenant?, scopes?, limits?.',
  ),
  allowUnauthenticated: variable(
    'ALLOW_UNAUTHENTICATED',
    parse.flag,
    'false',
    'Serve other addresses than loopback without a key: everybody who reaches the port can run commands.',
  ),
}
