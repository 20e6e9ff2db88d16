/** What becomes of the bytes that pass through. */
export type FaultMode =
  | { readonly kind: 'pass' }
  /** Every piece arrives so much later, in its order. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** A connection is accepted and destroyed, and so is one that stands when it begins another request. */
  | { readonly kind: 'refuse' }
  /** Bytes and ends of both directions vanish and nothing is closed. What lost something stays silent for good. */
  | { readonly kind: 'half-open' }
  /** These bytes, by default such as no HTTP has, come before every piece of the response. */
  | { readonly kind: 'garbage'; readonly bytes?: string | Uint8Array }
  /** One byte at a time. */
  | { readonly kind: 'slice' }
  /** So many bytes of the response pass, then it is over by silence (the default) or by a cut. */
  | { readonly kind: 'stop'; readonly afterBytes: number; readonly by?: 'silence' | 'cut' }
  /** Every request gets these bytes and the end of the connection; the target does not hear of it. */
  | { readonly kind: 'answer'; readonly bytes: string | Uint8Array }

/** Latest first: the mode that was set last counts. */
export interface FaultRules {
  set(mode: FaultMode, request?: RegExp): void
  /** The mode for a connection whose latest request is this one. */
  find(request: string | undefined): FaultMode
}

const MAX_RULES = 100

export function createFaultRules(): FaultRules {
  let rules: readonly { readonly mode: FaultMode; readonly request: RegExp | undefined }[] = []
  return {
    set(mode, request) {
      // What is for all requests leaves nothing to the rules before it, nor does another rule for the same ones.
      const left = request === undefined ? [] : rules.filter((rule) => rule.request?.source !== request.source)
      rules = [{ mode, request }, ...left].slice(0, MAX_RULES)
    },
    find: (wanted) =>
      rules.find(({ request }) => request === undefined || (wanted !== undefined && wanted.search(request) >= 0))
        ?.mode ?? { kind: 'pass' },
  }
}
