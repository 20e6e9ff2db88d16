import { GatewayError, type BudgetOwner, type RunRow, type SharedOwner } from '@opencode-gateway/contracts'
import type { Answerer } from './asks.ts'

/** What an API key needs to raise what keys may use, and what may be used on a day. */
export const operatorsScope = 'budgets:write'

export const isOfOperator = (owner: BudgetOwner): boolean => owner !== 'run' && owner !== 'session'

/** Throws FORBIDDEN unless whoever answers may raise that budget. */
export function refuseRaise(owner: SharedOwner, { limits, tenant }: RunRow, { mayRaise = false }: Answerer): void {
  if (mayRaise || !isOfOperator(owner)) return
  const whose = owner === 'day' ? `tenant "${tenant}"` : `API key "${limits.keyId ?? ''}"`
  throw new GatewayError(
    'FORBIDDEN',
    `The budget of ${whose} is the operator's: raising it needs an API key with the scope "${operatorsScope}". The ask waits still.`,
  )
}
