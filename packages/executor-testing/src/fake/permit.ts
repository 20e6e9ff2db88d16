import { permissionFor } from '@opencode-gateway/contracts'
import type { PermissionAsk } from './asks.ts'
import { relativePath, type Stage } from './stage.ts'

/** `refused`: the tool fails and the model goes on. `stopped`: the tool fails and so does the run. */
export type Permit = { readonly kind: 'granted' } | { readonly kind: 'refused' | 'stopped'; readonly why: string }

const granted: Permit = { kind: 'granted' }

/** Whether a tool may be used, by the rules of the run and, where those say so, by the answer to an ask. */
export async function permit(ask: PermissionAsk, { rules, interactive, asks }: Stage): Promise<Permit> {
  const action = rules === undefined ? 'allow' : (permissionFor(rules, ask.permission, ask.pattern) ?? 'allow')
  if (action === 'allow') return granted
  if (action === 'deny' || !interactive) {
    return { kind: 'refused', why: `a rule forbids ${ask.permission} "${ask.pattern}"` }
  }
  const { reply, message } = await asks.permission(ask)
  if (reply !== 'reject') return granted
  if (message === undefined) return { kind: 'stopped', why: 'The user rejected this tool call.' }
  return { kind: 'refused', why: `The user rejected this tool call: ${message}` }
}

/** What the use of a tool is to the rules. */
export function permissionOf(
  tool: string,
  args: Readonly<Record<string, unknown>>,
  { workspacePath }: Stage,
): Omit<PermissionAsk, 'callId'> {
  const text = (name: string): string => (typeof args[name] === 'string' ? args[name] : '')
  switch (tool) {
    case 'bash':
      return { permission: 'bash', pattern: text('command'), metadata: { command: text('command') } }
    case 'write':
    case 'edit':
    case 'read': {
      const pattern = relativePath(text('filePath'), workspacePath)
      return { permission: tool === 'read' ? 'read' : 'edit', pattern, metadata: { filepath: text('filePath') } }
    }
    case 'task':
      return { permission: 'task', pattern: text('subagent_type'), metadata: { description: text('description') } }
    default:
      return { permission: tool, pattern: '*', metadata: {} }
  }
}
