import type { Passed } from '@opencode-gateway/egress-proxy'
import { Counter, type Registry } from 'prom-client'

export interface EgressMetrics {
  /** A connection of a container to another host is over, or came to nothing. */
  passed(passed: Passed): void
}

/** What the egress proxy tells. */
export function createEgressMetrics(registry: Registry): EgressMetrics {
  const connections = new Counter({
    name: 'opencode_gateway_egress_connections_total',
    help: 'Connections of containers to other hosts that are over, by outcome. "refused" is a host that is not allowed.',
    labelNames: ['outcome'],
    registers: [registry],
  })
  const bytes = new Counter({
    name: 'opencode_gateway_egress_bytes_total',
    help: 'Bytes of these connections; "sent" by containers, "received" by them.',
    labelNames: ['direction'],
    registers: [registry],
  })
  return {
    passed({ outcome, sentBytes, receivedBytes }) {
      connections.inc({ outcome })
      bytes.inc({ direction: 'sent' }, sentBytes)
      bytes.inc({ direction: 'received' }, receivedBytes)
    },
  }
}
