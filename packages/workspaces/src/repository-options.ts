import type { RunOption } from '@opencode-gateway/contracts'

/** What requests may ask of a repository where workspaces have git, whoever the executor is. */
export const repositoryOptions = [
  'repository',
  'branch',
  'work_branch',
  'git_credentials',
  'depth',
  'submodules',
  'push',
  'pull_request',
  'commit_message',
] as const satisfies readonly RunOption[]
