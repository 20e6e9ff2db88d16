import { GatewayError, permissionFor } from '@opencode-gateway/contracts'
import type { AskAnswer, PermissionRules, PromptInput } from '@opencode-gateway/contracts'
import type { EngineApi } from './engine-api.ts'
import { EngineCallError } from './engine-error.ts'
import type { EngineAsk } from './engine-model.ts'
import { optional } from './read.ts'
import { createPolicy } from './permission-policy.ts'
import type { EngineRule } from './permission-policy.ts'
import { listChildren } from './snapshot.ts'

/** What becomes of the asks of one run. */
export interface RunAsks {
  /** For the engine; none when the gateway's own say it all. */
  readonly rules: readonly EngineRule[]
  /** The answer an ask gets at once, or undefined when it is for a person. */
  answerTo(ask: EngineAsk): AskAnswer | undefined
}

/** The asks of one session of the engine. */
export interface SessionAsks {
  ofRun(input: Pick<PromptInput, 'permissions' | 'interactive'>): RunAsks
  /** Throws ASK_NOT_FOUND or INVALID_REQUEST. */
  answer(askId: string, answer: AskAnswer, signal: AbortSignal): Promise<void>
  /** Refuses all that waits: after an abort the engine would keep it open. */
  dismiss(signal: AbortSignal): Promise<void>
}

export interface SessionAsksOptions {
  api: EngineApi
  sessionId: string
  directory: string
  /** What the gateway allows. */
  gateway: PermissionRules
}

/** The model reads these. */
const NOBODY = 'Nobody is here to allow this. Go on without it.'
const FORBIDDEN = 'The rules of this gateway do not allow this. Go on without it.'

/**
 * What was granted `always` is kept here and told to the engine as granted once: the engine would put the grant behind
 * every rule, so that it could widen what the gateway allows.
 */
export function createSessionAsks({ api, sessionId, directory, gateway }: SessionAsksOptions): SessionAsks {
  const granted = new Map<string, Set<string>>()

  const isGranted = (permission: string, patterns: readonly string[]): boolean => {
    const always = [...(granted.get(permission) ?? [])]
    const covers = (value: string): boolean =>
      always.some((pattern) => permissionFor({ '*': { [pattern]: 'allow' } }, permission, value) === 'allow')
    return patterns.length > 0 && patterns.every(covers)
  }

  const grant = ({ permission = '', always = [] }: EngineAsk): void => {
    const patterns = granted.get(permission) ?? new Set()
    granted.set(permission, patterns)
    for (const pattern of always) if (patterns.size < MAX_GRANTS) patterns.add(pattern)
  }

  const pending = async (signal: AbortSignal): Promise<readonly EngineAsk[]> => {
    const asks = await api.asks(directory, signal)
    if (asks.length === 0) return []
    const tree = new Set([sessionId, ...(await listChildren(api, sessionId, signal))])
    return asks.filter((ask) => tree.has(ask.sessionId))
  }

  return {
    ofRun({ permissions, interactive = false }) {
      const { rules, decide } = createPolicy({ gateway, request: permissions, interactive })
      const refusal: AskAnswer = { reply: 'reject', message: interactive ? FORBIDDEN : NOBODY }
      return {
        rules,
        answerTo({ kind, permission = '', patterns = [] }) {
          if (kind === 'question') return interactive ? undefined : { reject: true }
          const action = decide(permission, patterns)
          if (action === 'deny') return refusal
          return action === 'allow' || isGranted(permission, patterns) ? { reply: 'once' } : undefined
        },
      }
    },
    async answer(askId, answer, signal) {
      const ask = (await pending(signal)).find(({ id }) => id === askId)
      if (!ask) throw notFound(askId)
      if ('reply' in answer !== (ask.kind === 'permission')) throw misfit(ask, `it is a ${ask.kind}`)
      const always = 'reply' in answer && answer.reply === 'always'
      const told = always ? { reply: 'once' as const, ...optional('message', answer.message) } : answer
      try {
        if (!(await api.answer(ask, { directory, answer: told }, signal))) throw notFound(askId)
      } catch (error) {
        if (error instanceof EngineCallError && error.status === 400) throw misfit(ask, error.message)
        throw error
      }
      if (always) grant(ask)
    },
    async dismiss(signal) {
      for (const ask of await pending(signal)) {
        const answer: AskAnswer = ask.kind === 'permission' ? { reply: 'reject' } : { reject: true }
        await api.answer(ask, { directory, answer }, signal)
      }
    },
  }
}

const MAX_GRANTS = 1_000

function notFound(askId: string): GatewayError {
  return new GatewayError('ASK_NOT_FOUND', `the agent does not wait for an answer to "${askId}"`)
}

function misfit({ id }: EngineAsk, why: string): GatewayError {
  return new GatewayError('INVALID_REQUEST', `the answer does not fit the ask "${id}": ${why}`)
}
