import type { AgentEventBody, Usage } from '@opencode-gateway/contracts'

export type OutputKind = 'text' | 'reasoning' | 'stdout' | 'stderr'

/** What one run has written so far. */
export interface RunOutput {
  readonly events: readonly AgentEventBody[]
  push(event: AgentEventBody): void
  /** Adds a delta; it belongs to the open part when that is of the same kind, else it opens a part. */
  write(kind: OutputKind, text: string): void
  /** The next delta opens a part. */
  endPart(): void
  /** Voids the text of the parts since the last `endCall`; returns their ids. */
  withdraw(): string[]
  /** Adds the usage of a finished model call and tells it. */
  endCall(tokens: { input: number; output: number; reasoning: number; cached: number }): void
  usage(): Usage
  /** The whole text, or the standard output of a command. */
  finalMessage(): string
}

export interface RunOutputOptions {
  readonly runId: string
  readonly model: string | undefined
  /** Of standard output and of standard error each. */
  readonly maxOutputBytes: number
  changed(): void
}

interface Part {
  readonly id: string
  readonly kind: OutputKind
  text: string
}

export function createRunOutput({ runId, model, maxOutputBytes, changed }: RunOutputOptions): RunOutput {
  const events: AgentEventBody[] = []
  const leftBytes = { stdout: maxOutputBytes, stderr: maxOutputBytes }
  let parts: Part[] = []
  let open: Part | undefined
  let partCount = 0
  let firstOfCall = 0
  let modelCalls = 0
  const tokens = { input: 0, output: 0, reasoning: 0, cache_read: 0, cache_write: 0 }

  function push(event: AgentEventBody): void {
    events.push(event)
    changed()
  }

  function usage(): Usage {
    return { tokens: { ...tokens }, cost_usd: null, model_calls: modelCalls, ...(model === undefined ? {} : { model }) }
  }

  function write(kind: OutputKind, written: string): void {
    const text = kind === 'stdout' || kind === 'stderr' ? fit(kind, written) : written
    if (text === '') return
    if (open?.kind !== kind) {
      partCount += 1
      open = { id: `${runId}-part-${partCount}`, kind, text: '' }
      parts.push(open)
    }
    open.text += text
    const truncated = text.length < written.length ? { truncated: true } : {}
    push({ type: 'output', data: { type: kind, text, part_id: open.id, ...truncated } })
  }

  function fit(kind: 'stdout' | 'stderr', text: string): string {
    const bytes = Buffer.byteLength(text)
    if (bytes <= leftBytes[kind]) {
      leftBytes[kind] -= bytes
      return text
    }
    // encodeInto stops before a character that does not fit whole.
    const { read } = new TextEncoder().encodeInto(text, new Uint8Array(leftBytes[kind]))
    leftBytes[kind] = 0
    return text.slice(0, read)
  }

  return {
    events,
    push,
    write,
    usage,
    endPart() {
      open = undefined
    },
    withdraw() {
      const withdrawn = parts.slice(firstOfCall)
      parts = parts.slice(0, firstOfCall)
      open = undefined
      return withdrawn.map((part) => part.id)
    },
    endCall({ input, output, reasoning, cached }) {
      modelCalls += 1
      tokens.input += input
      tokens.output += output
      tokens.reasoning += reasoning
      tokens.cache_read += cached
      firstOfCall = parts.length
      open = undefined
      push({ type: 'usage', data: usage() })
    },
    finalMessage() {
      const stdout = parts.filter((part) => part.kind === 'stdout').map((part) => part.text)
      if (stdout.length > 0) return stdout.join('')
      const texts = parts.filter((part) => part.kind === 'text').map((part) => part.text)
      return texts.join('\n\n')
    },
  }
}
