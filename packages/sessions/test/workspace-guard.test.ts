import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WorkspaceSize } from '@opencode-gateway/contracts'
import type { Ending } from '../src/run/ending.ts'
import { noUsage } from '../src/run/verdict.ts'
import { createWorkspaceGuard } from '../src/run/workspace-guard.ts'
import { silent } from './setup.ts'

const limits = { maxBytes: 10, maxFiles: 10 }
const { signal } = new AbortController()
const completed: Ending = {
  kind: 'outcome',
  outcome: {
    status: 'completed',
    finalMessage: 'said',
    usage: noUsage,
    evidence: { checks: [], checked_at: '2026-01-01T00:00:00.000Z' },
  },
}

/** How a run ends that found a workspace which is measured like this, before it and after it. */
async function endOf(measure: (allowed: typeof limits) => Promise<WorkspaceSize>, ownBytes?: number): Promise<unknown> {
  using guard = createWorkspaceGuard({ limits, ownBytes: async () => ownBytes, log: silent })
  await guard.before({ measure }, signal)
  guard.watch({ measure }, () => {})
  const ending = await guard.settle(completed, signal)
  return ending.kind === 'outcome' ? ending.outcome.status : ending.kind
}

const large = ({ maxBytes }: typeof limits): WorkspaceSize => ({ bytes: 20, files: 1, whole: maxBytes >= 20 })

test('what was there before the run may stay there, and no more', async () => {
  assert.equal(await endOf(async (allowed) => large(allowed)), 'completed')
  let looks = 0
  const growing = async (allowed: typeof limits): Promise<WorkspaceSize> =>
    ++looks === 1 ? { bytes: 1, files: 1, whole: true } : large(allowed)
  assert.equal(await endOf(growing), 'failed')
})

test('a session may have less than all, and never more', async () => {
  const seven = ({ maxBytes }: typeof limits): WorkspaceSize => ({ bytes: 7, files: 1, whole: maxBytes >= 7 })
  const grownTo = (after: typeof seven, ownBytes?: number): Promise<unknown> => {
    let looks = 0
    return endOf(async (allowed) => (++looks === 1 ? { bytes: 1, files: 1, whole: true } : after(allowed)), ownBytes)
  }
  assert.equal(await grownTo(seven), 'completed')
  assert.equal(await grownTo(seven, 5), 'failed')
  assert.equal(await grownTo(large, 30), 'failed')
})

test('what cannot be measured before a run frees it of no limit', async () => {
  const tooDeep: WorkspaceSize = { bytes: 1, files: 200, whole: false }
  assert.equal(await endOf(async () => tooDeep), 'failed')
  let looks = 0
  const broken = async (): Promise<WorkspaceSize> => {
    if (++looks === 1) throw new Error('not now')
    return tooDeep
  }
  assert.equal(await endOf(broken), 'failed')
  looks = 0
  const cleared = async (): Promise<WorkspaceSize> => (++looks <= 2 ? tooDeep : { bytes: 1, files: 1, whole: true })
  assert.equal(await endOf(cleared), 'completed')
})
