import type { RunRow } from '@opencode-gateway/contracts'

/** A run of a former process that had a slot, unless it is said otherwise. */
export const runRow = (more: Partial<RunRow>): RunRow => ({
  runId: 'r',
  sessionId: 's',
  tenant: 't',
  input: { kind: 'prompt', runId: 'r', prompt: 'x' },
  state: 'starting',
  epoch: 1,
  owner: 'gone',
  leaseUntil: 0,
  attempts: 1,
  limits: { wallMs: 1, idleMs: 1, askMs: 1, modelCalls: 1 },
  requestId: 'q',
  createdAt: 0,
  claimedAt: 0,
  promptedAt: undefined,
  endedAt: undefined,
  cancelRequestedAt: undefined,
  progress: 0,
  currentTool: undefined,
  asks: [],
  complete: undefined,
  ...more,
})
