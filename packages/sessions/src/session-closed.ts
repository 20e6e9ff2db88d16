import { GatewayError } from '@opencode-gateway/contracts'

export function sessionClosed(sessionId: string): GatewayError {
  return new GatewayError(
    'SESSION_CLOSED',
    `Session "${sessionId}" has been deleted, or its retention is over. Make a new one.`,
  )
}
