import type {
  Provider,
  ProviderCheck,
  ProviderKind,
  ProviderRow,
  ProviderVersion,
  ProviderVersionList,
} from '@opencode-gateway/contracts'
import type { CheckResult } from '@opencode-gateway/model-proxy'

const iso = (at: number): string => new Date(at).toISOString()

/** Of a key it is told that there is one, and no more. */
function ofVersion({ version, kind, endpoint, model, sealedKey }: ProviderVersion) {
  return {
    version,
    // It was checked when it came in.
    kind: kind as ProviderKind,
    api_endpoint: endpoint ?? null,
    model: model ?? null,
    has_api_key: sealedKey !== undefined,
  }
}

export function providerView(row: ProviderRow): Provider {
  return {
    name: row.name,
    ...ofVersion(row),
    default: row.isDefault,
    created_at: iso(row.createdAt),
    updated_at: iso(row.writtenAt),
  }
}

export function providerVersions(rows: readonly ProviderVersion[]): ProviderVersionList {
  return {
    versions: rows.map((row) => ({
      ...ofVersion(row),
      restored_from: row.restoredFrom ?? null,
      created_at: iso(row.writtenAt),
    })),
  }
}

export function providerCheck(
  { name, version }: { name: string; version: number },
  { call, latencyMs, status, fault }: CheckResult,
): ProviderCheck {
  return {
    name,
    version,
    ok: fault === undefined,
    call,
    latency_ms: latencyMs,
    provider_status: status ?? null,
    fault: fault ?? null,
  }
}
