import { fieldsOf, textOf, type Fields } from './fields.ts'
import type { TokenCount } from './read-usage.ts'

/** USD for a million tokens of a kind. */
export interface Price {
  input: number
  output: number
  cacheRead: number
  cacheWrite: number
}

/** From this input on a model may have another price. */
export interface ModelPrice extends Price {
  large?: Price & { fromTokens: number }
}

const LARGE_TOKENS = 200_000
const MILLION = 1_000_000

/** Reads a `cost` of the engine's configuration or of its catalogue; undefined when it does not say what a call costs. */
export function readPrice(cost: unknown): ModelPrice | undefined {
  const fields = fieldsOf(cost)
  const usual = pricesIn(fields)
  if (!usual) return undefined
  const large = pricesIn(fieldsOf(fields['context_over_200k'] ?? fields['experimentalOver200K']))
  return large ? { ...usual, large: { ...large, fromTokens: LARGE_TOKENS } } : usual
}

/** Prices of the models that the engine's configuration declares, by "provider/model". */
export function readPrices(config: Fields): Map<string, ModelPrice> {
  const prices = new Map<string, ModelPrice>()
  for (const [provider, declared] of Object.entries(fieldsOf(config['provider']))) {
    for (const [name, model] of Object.entries(fieldsOf(fieldsOf(declared)['models']))) {
      const price = readPrice(fieldsOf(model)['cost'])
      // Providers are told the id, where the model has one besides its name.
      if (price) prices.set(`${provider}/${textOf(fieldsOf(model)['id']) ?? name}`, price)
    }
  }
  return prices
}

/** Without a price of its own the cache costs as much as other input. */
function pricesIn(fields: Fields): Price | undefined {
  const { input, output } = fields
  if (typeof input !== 'number' || typeof output !== 'number') return undefined
  const cache = fieldsOf(fields['cache'])
  const either = (...values: unknown[]): number =>
    values.find((value): value is number => typeof value === 'number') ?? input
  return {
    input,
    output,
    cacheRead: either(fields['cache_read'], cache['read']),
    cacheWrite: either(fields['cache_write'], cache['write']),
  }
}

/** What a call costs in USD; undefined when that is not known. */
export function costOf(count: TokenCount, price: ModelPrice | undefined): number | undefined {
  if (count.costUsd !== undefined) return count.costUsd
  if (!price) return undefined
  const inputTokens = count.input + count.cacheRead + count.cacheWrite
  const { input, output, cacheRead, cacheWrite } =
    price.large && inputTokens > price.large.fromTokens ? price.large : price
  return (
    (count.input * input +
      (count.output + count.reasoning) * output +
      count.cacheRead * cacheRead +
      count.cacheWrite * cacheWrite) /
    MILLION
  )
}
