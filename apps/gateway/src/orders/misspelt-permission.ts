import type { PermissionRules } from '@opencode-gateway/contracts'
import { TOOLS_OF } from './tool-permissions.ts'

/** The engine's own permissions. Others are names of tools, as MCP servers and plugins give them. */
const permissions: readonly string[] = [...Object.keys(TOOLS_OF), 'question', 'external_directory', 'doom_loop']

/** Tools that the engine asks another permission for: a rule with their own name would hold for nothing. */
const permissionOfTool: Readonly<Record<string, string>> = { write: 'edit', apply_patch: 'edit' }

/**
 * The first name in the rules that is meant for one of the engine's permissions and is not it: such a rule would hold
 * for nothing, and what it denies be allowed. Only a slip that no tool is called by counts: another case, or two
 * neighbouring letters that have changed places.
 */
export function misspeltPermission(rules: PermissionRules): { name: string; meant: string } | undefined {
  if (typeof rules === 'string') return undefined
  for (const name of Object.keys(rules)) {
    if (permissions.includes(name)) continue
    const meant = permissionOfTool[name] ?? permissions.find((known) => isSlip(name.toLowerCase(), known))
    if (meant !== undefined) return { name, meant }
  }
  return undefined
}

function isSlip(name: string, known: string): boolean {
  if (name.length !== known.length) return false
  const at = [...name].findIndex((letter, index) => letter !== known[index])
  if (at < 0) return true
  return name[at] === known[at + 1] && name[at + 1] === known[at] && name.slice(at + 2) === known.slice(at + 2)
}
