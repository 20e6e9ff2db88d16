/** What a request asks of the agent. */
export const agentOptions = [
  'model',
  'agent',
  'system_prompt',
  'output_schema',
  'permissions',
  'interactive',
  'wrap_up',
  'files',
] as const

/** What it asks of a repository: honoured where workspaces have git. */
export const repositoryOptions = [
  'repository',
  'branch',
  'work_branch',
  'git_credentials',
  'depth',
  'submodules',
  'lfs',
  'push',
  'pull_request',
  'commit_message',
] as const

/** What it asks of the models: honoured where they are called through the gateway. */
export const modelOptions = ['model_config', 'budget'] as const

/** What it asks of the container of its session: honoured where each has one of its own. */
export const containerOptions = ['resources'] as const

/** Options of a request that not every executor honours. One that is asked for and not listed is refused with 422. */
export const runOptions = [
  ...agentOptions,
  ...repositoryOptions,
  ...modelOptions,
  ...containerOptions,
  'webhook',
] as const
export type RunOption = (typeof runOptions)[number]
