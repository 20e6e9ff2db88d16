import { providerVariables } from '../executors.ts'
import type { Environment } from './reader.ts'

export { providerVariables }

/** The keys of model providers that are set, by the name of their variable. */
export function readProviderKeys(env: Environment): Record<string, string> {
  return Object.fromEntries(
    providerVariables.flatMap((name) => {
      const key = env[name]?.trim()
      return key === undefined || key === '' ? [] : [[name, key]]
    }),
  )
}
