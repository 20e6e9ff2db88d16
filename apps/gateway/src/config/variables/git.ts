import * as parse from '../parsers.ts'
import { optional, variable } from '../variable.ts'
import { DAY, HOUR, SECOND } from './units.ts'

/** Repositories: what may be named, with which credentials, how long it may take. */
export const gitVariables = {
  gitAllowedHosts: optional(
    'GIT_ALLOWED_HOSTS',
    parse.hostList,
    'Git hosts that may be named in a request, "host" or "host:port" with commas between; unless set, every host with public addresses.',
  ),
  gitAllowFile: variable(
    'GIT_ALLOW_FILE',
    parse.flag,
    'false',
    'Take repositories of this machine (file://): every client can read them.',
  ),
  githubToken: optional('GITHUB_TOKEN', parse.token, 'Token for github.com: clone, push and pull requests.', {
    secret: true,
  }),
  gitCredentialsFile: optional(
    'GIT_CREDENTIALS_FILE',
    parse.text,
    'JSON file with what each git host asks for: host to token, username and password, or ssh key file.',
  ),
  encryptionKey: optional(
    'ENCRYPTION_KEY',
    parse.sealingKey,
    'Key that seals keys of providers and credentials for git hosts that clients give, 32 bytes in base64. Without it `git_credentials` and `api_key` of a provider configuration are refused, and an `api_key` of a request is kept in memory alone.',
    { secret: true },
  ),
  encryptionKeyPrevious: optional(
    'ENCRYPTION_KEY_PREVIOUS',
    parse.sealingKey,
    'The key before that one: opens what was sealed with it, until those sessions are gone. Provider configurations are sealed anew at the start.',
    { secret: true },
  ),
  gitAuthorName: variable('GIT_AUTHOR_NAME', parse.line, 'OpenCode Gateway', 'Author of the commits made for a run.'),
  gitAuthorEmail: variable(
    'GIT_AUTHOR_EMAIL',
    parse.line,
    'opencode-gateway@localhost',
    'Their address; a git host shows it.',
  ),
  githubApi: optional(
    'GITHUB_API_URLS',
    parse.urlsByHost,
    'APIs of GitHub Enterprise hosts, for pull requests: "host=https://host/api/v3" with commas between.',
  ),
  gitlabApi: optional(
    'GITLAB_API_URLS',
    parse.urlsByHost,
    'APIs of GitLab hosts besides gitlab.com: "host=https://host/api/v4" with commas between.',
  ),
  cloneTimeoutMs: variable(
    'GIT_CLONE_TIMEOUT',
    parse.duration(SECOND, DAY),
    '10m',
    'How long bringing a repository in may take.',
  ),
  pushTimeoutMs: variable(
    'GIT_PUSH_TIMEOUT',
    parse.duration(SECOND, HOUR),
    '2m',
    'How long pushing a branch or opening a pull request may take.',
  ),
  mirrorBytes: variable(
    'GIT_CACHE_MAX_BYTES',
    parse.integer(0, Number.MAX_SAFE_INTEGER),
    '21474836480',
    'Size of all mirrors of repositories, in bytes; those that were not used for the longest time go first.',
  ),
  mirrorAgeMs: variable(
    'GIT_CACHE_MAX_AGE',
    parse.duration(SECOND, 3650 * DAY),
    '30d',
    'How long a mirror is kept that no clone uses.',
  ),
}
