import { GatewayError } from '@opencode-gateway/contracts'
import { SealingError, type Sealing } from '@opencode-gateway/sealing'
import type { KeySeal } from '@opencode-gateway/sessions'

const contextOf = (runId: string): string => `model key of run ${runId}`

/** Keys that came with requests, as they are kept with their runs. */
export function modelKeySeal(sealing: Sealing): KeySeal {
  return {
    seal: (key, runId) => sealing.seal(key, contextOf(runId)),
    open(sealed, runId) {
      try {
        return sealing.open(sealed, contextOf(runId))
      } catch (error) {
        if (!(error instanceof SealingError)) throw error
        throw new GatewayError(
          'MODEL_AUTH',
          `The key that came with the request of run "${runId}" cannot be read: ${error.message}. ` +
            'Set ENCRYPTION_KEY_PREVIOUS to the key it was sealed with, or send the prompt again, with its key.',
          { cause: error },
        )
      }
    },
  }
}
