import type { ModelAccessOptions } from './model-access.ts'
import type { ApiKey } from '../config/api-keys.ts'

/** What API keys may use, and whether a tenant has anybody who may raise it: where no key is asked for, everybody. */
export function keyBudgets(keys: readonly ApiKey[]): Pick<ModelAccessOptions, 'budgetsOfKey' | 'isRaisable'> {
  return {
    budgetsOfKey: (keyId) => keys.find(({ id }) => id === keyId)?.limits ?? {},
    isRaisable: (tenant) =>
      keys.length === 0 || keys.some((key) => key.tenant === tenant && key.scopes.includes('budgets:write')),
  }
}
