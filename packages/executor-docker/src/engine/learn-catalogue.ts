import type { Catalogue, EngineClient } from '@opencode-gateway/opencode'
import { inside } from '../container/inside.ts'
import type { DockerExecutorOptions } from '../options.ts'

export interface LearnOptions {
  /** Of an engine that has had no work: an agent could tell what it likes. */
  client: Pick<EngineClient, 'catalogue'>
  options: Pick<DockerExecutorOptions, 'log' | 'onCatalogue'>
  catalogued: readonly string[]
  signal: AbortSignal
}

const TIMEOUT_MS = 60_000
/** A slow engine closes the connection before it has taken in its catalogue; then it has, or goes on with it. */
const ATTEMPTS = 5

/** Asks an engine for the prices that its image holds, if there are any to be had. Never rejects. */
export async function learnCatalogue({ client, options, catalogued, signal }: LearnOptions): Promise<void> {
  const { log, onCatalogue } = options
  if (!onCatalogue || catalogued.length === 0) return
  const within = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
  try {
    onCatalogue(await ask(client, within))
    log.info({ providers: catalogued }, 'prices are taken from the catalogue of the engine image')
  } catch (err) {
    if (signal.aborted) return
    log.warn({ err, providers: catalogued }, 'the engine image does not tell its prices: costs are not known')
  }
}

async function ask(client: LearnOptions['client'], signal: AbortSignal): Promise<Catalogue> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await client.catalogue(inside.workspace, signal)
    } catch (error) {
      if (attempt === ATTEMPTS || signal.aborted) throw error
    }
  }
}
