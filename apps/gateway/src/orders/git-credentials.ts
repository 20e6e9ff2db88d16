import { ExecutorError, GatewayError } from '@opencode-gateway/contracts'
import { SealingError, type Sealing } from '@opencode-gateway/sealing'
import { parseRequestCredentials, type RequestCredentials, type WorkspacesOptions } from '@opencode-gateway/workspaces'

/** `git_credentials` as they are kept with their session. INVALID_REQUEST; UNSUPPORTED_OPTION without a key. */
export function sealCredentials(given: RequestCredentials, sessionId: string, sealing: Sealing | undefined): string {
  parseRequestCredentials(given)
  if (sealing) return sealing.seal(JSON.stringify(given), contextOf(sessionId))
  const reason = 'needs ENCRYPTION_KEY, which this gateway does not have'
  throw new GatewayError(
    'UNSUPPORTED_OPTION',
    'Credentials of a request are kept only encrypted, and the gateway has no ENCRYPTION_KEY. Set one, or give it the credentials with GIT_CREDENTIALS_FILE.',
    { details: { field: 'git_credentials', reason } },
  )
}

export function credentialOpener(sealing: Sealing): NonNullable<WorkspacesOptions['openCredentials']> {
  return (sealed, sessionId) => {
    try {
      return parseRequestCredentials(JSON.parse(sealing.open(sealed, contextOf(sessionId))) as RequestCredentials)
    } catch (error) {
      if (!(error instanceof SealingError)) throw error
      throw new ExecutorError(
        'REPOSITORY_AUTH',
        `the git_credentials of session "${sessionId}" cannot be read: ${error.message}. ` +
          'Set ENCRYPTION_KEY_PREVIOUS to the key they were sealed with, or make a new session',
        { cause: error },
      )
    }
  }
}

const contextOf = (sessionId: string): string => `git_credentials of session ${sessionId}`
