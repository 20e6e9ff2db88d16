import type { PermissionRules } from '@opencode-gateway/contracts'

/** Permissions of the engine, and the tools each is about. */
export const TOOLS_OF: Readonly<Record<string, readonly string[]>> = {
  read: ['read'],
  edit: ['edit', 'write', 'patch', 'multiedit', 'apply_patch'],
  glob: ['glob'],
  grep: ['grep'],
  list: ['list'],
  bash: ['bash'],
  task: ['task'],
  skill: ['skill'],
  webfetch: ['webfetch'],
  websearch: ['websearch'],
  codesearch: ['codesearch'],
  todowrite: ['todowrite'],
  todoread: ['todoread'],
  lsp: ['lsp'],
}

/**
 * The rules with all denied that belongs to none of the tools: a model that calls a tool it was not offered gets
 * nowhere, and neither does a sub-agent.
 */
export function withToolsOnly(rules: PermissionRules | undefined, tools: readonly string[]): PermissionRules {
  const denied = Object.entries(TOOLS_OF)
    .filter(([, names]) => !names.some((name) => tools.includes(name)))
    .map(([permission]) => [permission, 'deny'] as const)
  const asked = typeof rules === 'string' ? { '*': rules } : rules
  return { ...asked, ...Object.fromEntries(denied) }
}
