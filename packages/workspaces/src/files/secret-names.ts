/** Names under which credentials are kept by custom. */
const SECRET = [
  /^\.env(\..*)?$/,
  /^\.envrc$/,
  /\.env$/,
  /\.(pem|key|p12|pfx|jks|keystore|ppk|kdbx)$/,
  /^id_(rsa|dsa|ecdsa|ed25519)/,
  /^(\.npmrc|\.netrc|_netrc|\.pypirc|\.pgpass|\.htpasswd|\.dockercfg|\.git-credentials)$/,
  /^(\.ssh|\.aws|\.gnupg|\.kube|\.docker)$/,
  /^\.?credentials/,
  /^\.?secrets?\.(json|ya?ml|toml)$/,
]
const HARMLESS = /^\.env\.(example|sample|template)$/

/** Whether some name of a path says that what lies there is a secret. */
export const looksSecret = (names: readonly string[]): boolean =>
  names.map((name) => name.toLowerCase()).some((name) => !HARMLESS.test(name) && SECRET.some((rule) => rule.test(name)))
