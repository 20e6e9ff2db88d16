import type { ModelUsageTotals, Usage } from '@opencode-gateway/contracts'
import type { TokenCount } from './read-usage.ts'

export function addTotals(one: ModelUsageTotals, other: ModelUsageTotals): ModelUsageTotals {
  const { tokens: a } = one
  const { tokens: b } = other
  return {
    calls: one.calls + other.calls,
    tokens: {
      input: a.input + b.input,
      output: a.output + b.output,
      reasoning: a.reasoning + b.reasoning,
      cache_read: a.cache_read + b.cache_read,
      cache_write: a.cache_write + b.cache_write,
    },
    costUsd: one.costUsd + other.costUsd,
    unpriced: one.unpriced + other.unpriced,
    uncounted: one.uncounted + other.uncounted,
    estimated: one.estimated + other.estimated,
    wallMs: one.wallMs + other.wallMs,
  }
}

/** What one call adds that a provider has worked on. */
export function totalsOfCall(
  count: TokenCount | undefined,
  { costUsd, isEstimate }: { costUsd: number | undefined; isEstimate: boolean },
): ModelUsageTotals {
  const { input = 0, output = 0, reasoning = 0, cacheRead = 0, cacheWrite = 0 } = count ?? {}
  return {
    calls: 1,
    tokens: { input, output, reasoning, cache_read: cacheRead, cache_write: cacheWrite },
    costUsd: costUsd ?? 0,
    unpriced: costUsd === undefined ? 1 : 0,
    uncounted: count === undefined ? 1 : 0,
    estimated: isEstimate ? 1 : 0,
    wallMs: 0,
  }
}

export function sumOfTokens({ tokens }: ModelUsageTotals): number {
  return tokens.input + tokens.output + tokens.reasoning + tokens.cache_read + tokens.cache_write
}

export function toUsage(totals: ModelUsageTotals, model: string | undefined): Usage {
  return {
    tokens: totals.tokens,
    cost_usd: totals.unpriced > 0 ? null : totals.costUsd,
    model_calls: totals.calls,
    ...(totals.estimated === 0 ? {} : { estimated_calls: totals.estimated }),
    ...(model === undefined ? {} : { model }),
  }
}
