import { Type, type Static } from 'typebox'

/** Bounds of one answer with what changed. */
export const diffLimits = { files: 10_000, patchBytes: 1_000_000 } as const

export const DiffQuery = Type.Object(
  {
    since: Type.Optional(
      Type.String({
        format: 'uuid',
        description: 'What changed since this run of the session ended; since the start unless given.',
      }),
    ),
    format: Type.Optional(
      Type.Enum(['json', 'patch'], { default: 'json', description: '`patch`: one unified patch for `git apply`.' }),
    ),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: diffLimits.files, default: 1000, description: 'Files; of `json` alone.' }),
    ),
    max_patch_bytes: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: diffLimits.patchBytes,
        default: 100_000,
        description: 'A longer patch of one file is left out; of `json` alone. With 0 there are none.',
      }),
    ),
    secrets: Type.Optional(
      Type.Boolean({ default: false, description: 'With what looks like a secret; needs `files:secrets`.' }),
    ),
  },
  { $id: 'DiffQuery', additionalProperties: false },
)
export type DiffQuery = Static<typeof DiffQuery>

export const FileDiffView = Type.Object(
  {
    path: Type.String({ examples: ['src/index.ts'] }),
    from: Type.Optional(Type.String({ description: 'The former path of what was renamed.' })),
    status: Type.Enum(['added', 'modified', 'deleted', 'renamed']),
    additions: Type.Integer({ minimum: 0 }),
    deletions: Type.Integer({ minimum: 0 }),
    binary: Type.Boolean(),
    patch: Type.Optional(Type.String({ description: 'Unified; absent for a binary file and where it is truncated.' })),
    truncated: Type.Boolean({
      description: 'The patch is too long, or the file is too large, cannot be read, or looks like a secret.',
    }),
  },
  { $id: 'FileDiff' },
)
export type FileDiffView = Static<typeof FileDiffView>

export const DiffView = Type.Object(
  {
    from: Type.String({ description: '`start`, or the run the files are compared with the end of.' }),
    files: Type.Array(FileDiffView, { description: 'By path.' }),
    truncated: Type.Boolean({ description: 'There is more than `limit`, or not everything could be looked at.' }),
  },
  { $id: 'Diff' },
)
export type DiffView = Static<typeof DiffView>

export const ResetRequest = Type.Object(
  {
    to: Type.Optional(Type.Literal('start', { description: 'Unless there is a `run_id`.' })),
    run_id: Type.Optional(Type.String({ format: 'uuid', description: 'To what the workspace was after this run.' })),
  },
  { $id: 'ResetRequest', additionalProperties: false, description: 'To what; the body may be left out.' },
)
export type ResetRequest = Static<typeof ResetRequest>

export const ResetResponse = Type.Object(
  {
    session_id: Type.String(),
    to: Type.Enum(['start', 'run']),
    run_id: Type.Optional(Type.String()),
  },
  { $id: 'ResetResponse', description: 'The workspace is what it was.' },
)
export type ResetResponse = Static<typeof ResetResponse>
