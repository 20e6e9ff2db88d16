import { noOrphans } from '../checks/no-orphans.ts'
import type { SessionFacts } from '../facts.ts'
import { createApi } from './api.ts'
import type { Talk } from './converse.ts'
import { examine } from './examine.ts'
import { gather } from './gather.ts'
import { lastProcesses } from './last-processes.ts'
import type { Expectation, Scene } from './scene.ts'
import { tidy } from './tidy.ts'

const timeoutMs = 120_000

/** Once every conversation is over: checks what came of them, and that nothing is left when they are deleted. */
export async function examineAftermath(
  { context, ledger, model, site }: Scene,
  talks: readonly Talk[],
  { where, roots, ...expectation }: Expectation & { where: string },
): Promise<readonly SessionFacts[]> {
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(timeoutMs)])
  const api = createApi(site.url, signal)
  const before = ledger.violations().length
  for (const surprise of talks.flatMap(({ surprises }) => surprises)) {
    ledger.complain('nothing unforeseen', `${where}: ${surprise}`)
  }
  const sessions = await gather(talks, { api, calls: model.calls(), workspaceRoot: site.workspaceRoot })
  examine(sessions, { ledger, where, ...expectation })
  const gateway = site.gateway()
  ledger.check(noOrphans, [await lastProcesses(context.directory, [gateway.pid, ...roots])], where)
  await tidy(sessions, { api, workspaceRoot: site.workspaceRoot, ledger, where, signal })
  if (ledger.violations().length > before) {
    context.say(`the gateway's warnings since its start:\n${gateway.warnings().join('\n')}`)
  }
  return sessions
}
