import type { UsageGroup, UsageReport, UsageReportRow } from '@opencode-gateway/contracts'

export function usageReport(by: UsageGroup, rows: readonly UsageReportRow[]): UsageReport {
  return {
    by,
    rows: rows.map(({ group, model, calls, tokens, costUsd, unpriced, estimated }) => ({
      group,
      model,
      calls,
      tokens: { ...tokens },
      cost_usd: unpriced > 0 ? null : costUsd,
      unpriced_calls: unpriced,
      estimated_calls: estimated,
    })),
  }
}

const COLUMNS = [
  'calls',
  'input_tokens',
  'output_tokens',
  'reasoning_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'cost_usd',
  'unpriced_calls',
  'estimated_calls',
]

/** The same rows as CSV (RFC 4180); a cost that is not known is empty. */
export function usageCsv({ by, rows }: UsageReport): string {
  const lines = rows.map(({ group, model, calls, tokens, ...row }) => {
    const { input, output, reasoning, cache_read: read, cache_write: write } = tokens
    const { cost_usd: cost, unpriced_calls: unpriced, estimated_calls: estimated } = row
    const counted = [calls, input, output, reasoning, read, write, cost ?? '', unpriced, estimated]
    return [cell(group), cell(model), ...counted].join(',')
  })
  return [[by, 'model', ...COLUMNS].join(','), ...lines, ''].join('\r\n')
}

/** Quoted where it must be, and never taken for a formula by a spreadsheet. */
function cell(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}
