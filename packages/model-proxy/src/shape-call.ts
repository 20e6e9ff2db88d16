import type { ModelOptions } from '@opencode-gateway/contracts'
import { changesBody, rewriteBody } from './rewrite-body.ts'
import type { Target } from './target.ts'
import { createUpstream, type Upstream } from './upstream.ts'

export interface Call {
  upstream: Upstream
  /** Below the provider's base URL. */
  path: string
  body: Buffer
}

export interface CallShape {
  options: ModelOptions
  /** That came with the request. */
  key: string | undefined
}

/**
 * A call of the engine as its run wants it. Where it goes and under which name is for the run's own provider; the rest
 * for every call of the run. Throws when the body is no JSON object.
 */
export function shapeCall(call: Call, target: Target, { options, key }: CallShape): Call {
  const { model, endpoint, temperature, maxTokens, reasoningEffort, tools } = options
  const own = options.provider === target.provider
  const change = {
    ...(own && model !== undefined ? { model } : {}),
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(reasoningEffort === undefined ? {} : { reasoningEffort }),
    ...(tools === undefined ? {} : { tools }),
  }
  const renamed = own && model !== undefined && target.dialect === 'google'
  return {
    upstream: own ? upstreamFor(call.upstream, endpoint, key) : call.upstream,
    path: renamed ? call.path.replace(/\/models\/[^/:]+:/, () => `/models/${model}:`) : call.path,
    body: changesBody(change) ? rewriteBody(target.dialect, call.body, change) : call.body,
  }
}

/** Neither the key nor the headers of one provider go to another's address. */
function upstreamFor(upstream: Upstream, endpoint: string | undefined, key: string | undefined): Upstream {
  if (endpoint !== undefined) return createUpstream(endpoint, { key })
  return key === undefined ? upstream : { ...upstream, key }
}
