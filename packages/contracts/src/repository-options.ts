import { Type } from 'typebox'
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
      description: 'The branch the agent works on; `opencode/<first part of the session id>` unless given.',
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
