import type { Remote } from './remote.ts'
import type { RemoteCall } from './remote-call.ts'
import { sshAccess } from './ssh-access.ts'

/** What git is run with; nothing of our own environment but this. */
export interface GitSurroundings {
  path: string
  /** An empty directory of ours. */
  home: string
  author: { name: string; email: string }
}

/** Asked by git for a host; answers for the one it was made for and no other. */
const CREDENTIAL_HELPER = `!f() {
  test "$1" = get || exit 0
  protocol= host=
  while IFS== read -r name value; do
    case "$name" in protocol) protocol=$value ;; host) host=$value ;; esac
  done
  test "$protocol" = "$GATEWAY_GIT_PROTOCOL" && test "$host" = "$GATEWAY_GIT_HOST" || exit 0
  printf 'username=%s\\npassword=%s\\n' "$GATEWAY_GIT_USERNAME" "$GATEWAY_GIT_PASSWORD"
}; f`

const CONFIG: readonly (readonly [string, string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.untrackedCache', 'false'],
  ['core.symlinks', 'true'],
  ['protocol.allow', 'never'],
  ['protocol.ext.allow', 'never'],
  ['submodule.recurse', 'false'],
  ['fetch.recurseSubmodules', 'false'],
  ['push.recurseSubmodules', 'no'],
  ['diff.ignoreSubmodules', 'all'],
  ['commit.gpgSign', 'false'],
  ['push.gpgSign', 'false'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['advice.detachedHead', 'false'],
  // Packs as they come: thousands of loose objects are slow to copy.
  ['fetch.unpackLimit', '1'],
  ['fetch.writeCommitGraph', 'false'],
  ['checkout.workers', '0'],
]

/** The environment of a call that needs no remote; with `call`, of one that does. */
export function gitEnvironment(around: GitSurroundings, call?: RemoteCall): Record<string, string> {
  const config = [...CONFIG]
  const remote = call?.remote
  if (call !== undefined && remote !== undefined) {
    config.push([`protocol.${remote.scheme}.allow`, 'always'])
    config.push(['http.followRedirects', 'false'], ['http.emptyAuth', 'false'], ['http.sslVerify', 'true'])
    config.push(['credential.helper', ''])
    if (call.credential?.password !== undefined) config.push(['credential.helper', CREDENTIAL_HELPER])
    const pinned = pinnedAddresses(call)
    if (pinned !== undefined) config.push(['http.curloptResolve', pinned])
  }
  return {
    PATH: around.path,
    HOME: around.home,
    XDG_CONFIG_HOME: around.home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_LFS_SKIP_SMUDGE: '1',
    GIT_EDITOR: 'false',
    GIT_PAGER: 'cat',
    GIT_ALLOW_PROTOCOL: remote?.scheme ?? 'none',
    GIT_AUTHOR_NAME: around.author.name,
    GIT_AUTHOR_EMAIL: around.author.email,
    GIT_COMMITTER_NAME: around.author.name,
    GIT_COMMITTER_EMAIL: around.author.email,
    ...configVariables(config),
    ...(call === undefined ? {} : access(call)),
  }
}

/** Ranks above every file of configuration. */
function configVariables(config: readonly (readonly [string, string])[]): Record<string, string> {
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(config.length) }
  for (const [index, [key, value]] of config.entries()) {
    variables[`GIT_CONFIG_KEY_${index}`] = key
    variables[`GIT_CONFIG_VALUE_${index}`] = value
  }
  return variables
}

function pinnedAddresses({ remote, addresses }: RemoteCall): string | undefined {
  if (remote.scheme !== 'https' && remote.scheme !== 'http') return undefined
  if (addresses.length === 0 || addresses[0] === remote.host) return undefined
  return `${remote.host}:${remote.port}:${addresses.map((address) => (address.includes(':') ? `[${address}]` : address)).join(',')}`
}

function access(call: RemoteCall): Record<string, string> {
  const { remote, credential } = call
  if (remote.scheme === 'ssh') return sshAccess(call)
  if (credential?.password === undefined) return {}
  return {
    GATEWAY_GIT_PROTOCOL: remote.scheme,
    GATEWAY_GIT_HOST: hostAsGitNamesIt(remote),
    GATEWAY_GIT_USERNAME: credential.username ?? 'x-access-token',
    GATEWAY_GIT_PASSWORD: credential.password,
  }
}

function hostAsGitNamesIt({ url }: Remote): string {
  return url.replace(/^[a-z]+:\/\//, '').replace(/\/.*$/s, '')
}
