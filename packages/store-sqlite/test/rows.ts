import type { Admission, NewRun, NewSession } from '@opencode-gateway/contracts'

export const noLimit: Admission = { maxQueued: 1_000_000 }

export function newSession(sessionId: string): NewSession {
  const flags = { oneShot: false, keepWorkspace: false }
  return { sessionId, tenant: 'acme', executor: 'server', title: '', labels: {}, createdAt: 1, ...flags }
}

export function newRun(runId: string, sessionId: string): NewRun {
  const input = { kind: 'prompt', runId, prompt: 'go' } as const
  return {
    runId,
    sessionId,
    tenant: 'acme',
    input,
    limits: { wallMs: 1_000, idleMs: 1_000, askMs: 1_000, modelCalls: 9 },
    requestId: 'q',
    createdAt: 1,
  }
}
