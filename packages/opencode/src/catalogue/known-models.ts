import { fieldsOf, listOf, numberOf, optional, textOf, type Fields } from '../read.ts'
import type { Catalogue } from './catalogue.ts'

/**
 * What an engine says of the models of its providers, in the form of the catalogue. It has 0 for a price that it does not
 * know: what is 0 is taken for unknown, so that nothing is taken for free that is not.
 */
export function knownModels(answer: unknown): Catalogue {
  const providers = listOf(fieldsOf(answer)?.['providers']).flatMap((entry) => {
    const provider = fieldsOf(entry)
    const name = textOf(provider?.['id'])
    if (name === undefined) return []
    const models = Object.entries(fieldsOf(provider?.['models']) ?? {}).flatMap(([model, about]) => {
      const fields = fieldsOf(about)
      const cost = knownCost(fieldsOf(fields?.['cost']))
      const id = textOf(fieldsOf(fields?.['api'])?.['id']) ?? model
      return cost ? [[model, { id, cost }] as const] : []
    })
    return [[name, { models: Object.fromEntries(models) }] as const]
  })
  return Object.fromEntries(providers)
}

function knownCost(cost: Fields | undefined): Fields | undefined {
  const [input, output] = [numberOf(cost?.['input']) ?? 0, numberOf(cost?.['output']) ?? 0]
  if (input === 0 && output === 0) return undefined
  const cache = fieldsOf(cost?.['cache'])
  const [read, write] = [numberOf(cache?.['read']), numberOf(cache?.['write'])]
  return {
    input,
    output,
    ...optional('cache_read', read === 0 ? undefined : read),
    ...optional('cache_write', write === 0 ? undefined : write),
    ...optional('context_over_200k', knownCost(fieldsOf(cost?.['experimentalOver200K']))),
  }
}
