import type { Log, ProviderPlace, ProviderStore } from '@opencode-gateway/contracts'
import { SealingError, type Sealing } from '@opencode-gateway/sealing'
import { keyContext } from './provider-seal.ts'

const KEYS_AT_ONCE = 500

/** Seals what was sealed with the former key with the current one, so that the former one can be put away. */
export async function resealProviderKeys(
  store: Pick<ProviderStore, 'listSealedKeys' | 'resealKey'>,
  sealing: Sealing,
  log: Pick<Log, 'info' | 'warn'>,
): Promise<void> {
  let resealed = 0
  let after: ProviderPlace | undefined
  for (;;) {
    const keys = await store.listSealedKeys(KEYS_AT_ONCE, after)
    after = keys.at(-1)
    if (!after) break
    for (const key of keys) {
      const { tenant, name, version, sealedKey } = key
      try {
        if (!sealing.isStale(sealedKey)) continue
        const context = keyContext(key)
        await store.resealKey(key, sealing.seal(sealing.open(sealedKey, context), context))
        resealed += 1
      } catch (err) {
        if (!(err instanceof SealingError)) throw err
        log.warn({ tenant, provider: name, version, err }, 'the key of a provider configuration cannot be read')
      }
    }
  }
  if (resealed > 0) log.info({ resealed }, 'keys of provider configurations are sealed with the current key')
}
