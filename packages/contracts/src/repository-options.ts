import { Type, type Static } from 'typebox'
import { wireLimits } from './wire-limits.ts'

const PullRequest = Type.Union(
  [
    Type.Literal(true),
    Type.Object(
      {
        title: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
        body: Type.Optional(Type.String({ maxLength: 65_536 })),
        draft: Type.Optional(Type.Boolean()),
        base: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
      },
      { additionalProperties: false },
    ),
  ],
  {
    description:
      'Opens a pull request for the branch, which is pushed; title and body come from the prompt unless given.',
  },
)

const secret = (maxLength: number) => Type.String({ minLength: 1, maxLength })

/** How to authenticate to one git host. */
export const GitCredentialInput = Type.Object(
  {
    token: Type.Optional(secret(wireLimits.gitSecretCharacters)),
    username: Type.Optional(secret(256)),
    password: Type.Optional(secret(wireLimits.gitSecretCharacters)),
    ssh_key: Type.Optional(secret(wireLimits.gitSecretCharacters)),
  },
  {
    additionalProperties: false,
    description: 'A `token`, a `username` with its `password`, or an `ssh_key`: a private key without a passphrase.',
  },
)
export type GitCredentialInput = Static<typeof GitCredentialInput>

/** What the workspace begins with. */
export const fillOptions = {
  repository: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 2048,
      description: 'A git repository: `https://…`, `ssh://…` or `user@host:path`. Never with a password in it.',
      examples: ['https://github.com/acme/app.git'],
    }),
  ),
  branch: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      description: "The branch to begin with; the remote's HEAD unless given.",
    }),
  ),
  work_branch: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      description:
        'The branch the agent works on; `opencode/<first part of the session id>` unless given. A fork shares one that is given.',
    }),
  ),
  depth: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: wireLimits.gitDepth,
      description: 'Commits of history to bring in, of the one branch alone; all of everything unless given.',
    }),
  ),
  submodules: Type.Optional(
    Type.Boolean({
      description: 'Bring in submodules too, from hosts that a repository may be on. Work in them is not committed.',
    }),
  ),
  lfs: Type.Optional(
    Type.Boolean({
      description:
        'Bring in the files of Git LFS, whose pointers the workspace has otherwise; changed ones are stored at the host before a push. From and to hosts that a repository may be on.',
    }),
  ),
  git_credentials: Type.Optional(
    Type.Record(Type.String({ pattern: '^[A-Za-z0-9._:\\[\\]-]{1,262}$' }), GitCredentialInput, {
      minProperties: 1,
      maxProperties: wireLimits.gitHosts,
      additionalProperties: false,
      description:
        'By `host` or `host:port`, before those of the gateway: for clone, push and pull request of this session. Kept encrypted, never returned, forgotten with the session.',
      examples: [{ 'git.example.com': { token: '…' } }],
    }),
  ),
  files: Type.Optional(
    Type.Record(Type.String(), Type.String(), {
      maxProperties: wireLimits.files,
      description: 'Texts by path, written before the agent begins.',
      examples: [{ 'notes/task.md': '# Task' }],
    }),
  ),
}

/** What becomes of the work in a repository. */
export const deliveryOptions = {
  push: Type.Optional(Type.Boolean({ description: 'Push the branch once the run has completed.' })),
  pull_request: Type.Optional(PullRequest),
  commit_message: Type.Optional(
    Type.String({ minLength: 1, maxLength: 10_000, description: 'Made from the prompt unless given.' }),
  ),
}
