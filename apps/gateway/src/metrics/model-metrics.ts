import { Counter, type Registry } from 'prom-client'

export interface ModelMetrics {
  /** A call of an engine was not passed on to a provider. */
  refused(why: string): void
}

/** What the model proxy tells; `why` is one of its closed set. */
export function createModelMetrics(registry: Registry): ModelMetrics {
  const refused = new Counter({
    name: 'opencode_gateway_model_calls_refused_total',
    help: 'Calls of models that were not passed on. Worth an alarm: unknown_path, wrong_token, unknown_session, no_run.',
    labelNames: ['why'],
    registers: [registry],
  })
  return { refused: (why) => refused.inc({ why }) }
}
