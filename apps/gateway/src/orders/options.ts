import { GatewayError, runOptions, type ExecutorCapabilities } from '@opencode-gateway/contracts'
import { oneOrAll } from '../http/one-or-all.ts'

const CHECKED: readonly string[] = runOptions

/** That nobody is to be asked is what every executor honours. */
export const isAsked = (request: Readonly<Record<string, unknown>>, name: string): boolean =>
  request[name] !== undefined && !(name === 'interactive' && request[name] === false)

/**
 * Throws UNSUPPORTED_OPTION for everything asked for that the executor cannot honour: an option is honoured or refused,
 * never dropped.
 */
export function requireOptions(
  request: Readonly<Record<string, unknown>>,
  executor: { name: string; capabilities: Pick<ExecutorCapabilities, 'options'> },
): void {
  const honoured: readonly string[] = executor.capabilities.options
  const refused = CHECKED.filter((name) => isAsked(request, name) && !honoured.includes(name))
  if (refused.length === 0) return
  const names = refused.map((name) => `"${name}"`).join(', ')
  const reason = `is not supported by executor "${executor.name}"`
  const details = refused.map((field) => ({ field, reason }))
  throw new GatewayError(
    'UNSUPPORTED_OPTION',
    `Executor "${executor.name}" cannot honour ${names}. Leave it out; GET /capabilities lists what it can.`,
    { details: oneOrAll(details) },
  )
}
