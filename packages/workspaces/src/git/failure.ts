import { ExecutorError, type ErrorCode } from '@opencode-gateway/contracts'
import { secretsOf, type GitCredential } from './credentials.ts'
import type { Remote } from './remote.ts'

/** What git was doing: the same words mean another thing in another place. */
export type RemoteStep = 'look' | 'fetch' | 'push'

interface Reading {
  words: RegExp
  code: ErrorCode
  /** What it means and what to do. */
  text: string
}

// The first that fits counts.
const READINGS: readonly Reading[] = [
  {
    words: /protected branch|pre-receive hook declined|GH006|GH013|remote rejected/i,
    code: 'PUSH_REJECTED',
    text: 'the remote did not take the branch: it is protected or a rule of the repository forbids it',
  },
  {
    words: /non-fast-forward|fetch first|\[rejected\]|stale info/i,
    code: 'PUSH_REJECTED',
    text: 'the remote has commits on the branch that the workspace does not have; choose another work branch',
  },
  {
    words: /requested URL returned error: 30[1-8]|unable to update url base from redirection/i,
    code: 'REPOSITORY_REFUSED',
    text: 'the host answers with a redirect, which is not followed; give the address it leads to',
  },
  {
    words:
      /requested URL returned error: 40[13]|Authentication failed|could not read (?:Username|Password)|Permission denied \(|HTTP Basic: Access denied|terminal prompts disabled|Write access to repository not granted/i,
    code: 'REPOSITORY_AUTH',
    text: 'the host refused the credentials, or there are none for it; check what the gateway is given for this host',
  },
  {
    words: /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/i,
    code: 'REPOSITORY_AUTH',
    text: "the host's key is not the one that is known; check the known_hosts file of the gateway",
  },
  {
    words:
      /repository '[^']*' not found|Repository not found|does not appear to be a git repository|requested URL returned error: 404|not a git repository|project you were looking for could not be found/i,
    code: 'REPOSITORY_NOT_FOUND',
    text: 'there is no such repository, or the credentials may not see it',
  },
  { words: /No space left on device|Disk quota exceeded/i, code: 'WORKSPACE_FULL', text: 'the disk is full' },
  {
    words: /couldn't find remote ref|Remote branch .* not found/i,
    code: 'BRANCH_NOT_FOUND',
    text: 'the repository has no such branch',
  },
]

const FALLBACK: Readonly<Record<RemoteStep, ErrorCode>> = {
  look: 'CLONE_FAILED',
  fetch: 'CLONE_FAILED',
  push: 'PUSH_REJECTED',
}
const VERBS: Readonly<Record<RemoteStep, string>> = { look: 'read', fetch: 'cloned', push: 'pushed to' }
const MAX_DETAIL = 300

/** The error that git's own words stand for, without a secret. */
export function gitFailure(
  step: RemoteStep,
  remote: Remote,
  credential: GitCredential | undefined,
  stderr: string,
): ExecutorError {
  const reading = READINGS.find(({ words }) => words.test(stderr))
  const detail = lastWords(scrub(stderr, secretsOf(credential)))
  const text = reading?.text ?? 'git failed'
  const message = `the repository "${remote.url}" could not be ${VERBS[step]}: ${text}${detail === '' ? '' : ` (${detail})`}`
  const code = reading?.code ?? FALLBACK[step]
  // A push that failed for the network may go through the next time; one that was refused will not.
  return new ExecutorError(code, message, reading === undefined ? { retryable: true } : {})
}

export function scrub(text: string, secrets: readonly string[]): string {
  let clean = text
  for (const secret of secrets) if (secret !== '') clean = clean.replaceAll(secret, '***')
  return clean.replace(/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]*@/gi, '$1')
}

function lastWords(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => /^(?:fatal|error|remote|ssh|Permission|Host| ! )/.test(line))
  const shown = lines.slice(-3).join('; ') || stderr.trim().split('\n').slice(-1).join('')
  // oxlint-disable-next-line no-control-regex
  return shown.replace(/[\0-\x1f\x7f]+/g, ' ').slice(0, MAX_DETAIL)
}
