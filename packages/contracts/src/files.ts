import { Type, type Static } from 'typebox'
import { Timestamp } from './values.ts'

/** Bounds of what is asked of a workspace's files. */
export const fileLimits = { depth: 64, entries: 50_000, pathCharacters: 4096 } as const

const Path = Type.String({
  maxLength: fileLimits.pathCharacters,
  description: 'Relative to the workspace, `/` between names; empty for the workspace itself.',
  examples: ['src/index.ts'],
})

const entry = {
  path: Path,
  type: Type.Enum(['file', 'directory', 'link', 'other'], { description: 'A link is named, never followed.' }),
  size: Type.Integer({ minimum: 0, description: 'Bytes; 0 for what is not a file.' }),
  modified_at: Timestamp,
  mode: Type.String({ pattern: '^[0-7]{4}$', description: 'Permission bits, octal.', examples: ['0644'] }),
}

export const FileEntryView = Type.Object(entry, { $id: 'FileEntry', description: 'Something in a workspace.' })
export type FileEntryView = Static<typeof FileEntryView>

export const FileInfo = Type.Object(
  {
    ...entry,
    etag: Type.Optional(
      Type.String({ description: 'For `If-Match` and `If-None-Match`; of files only.', examples: ['"1k2-5-3f-3f"'] }),
    ),
    text: Type.Optional(Type.Boolean({ description: 'Whether the beginning of the file is text; of files only.' })),
  },
  { $id: 'FileInfo' },
)
export type FileInfo = Static<typeof FileInfo>

export const FileList = Type.Object(
  {
    path: Path,
    entries: Type.Array(FileEntryView, { description: 'By path.' }),
    truncated: Type.Boolean({
      description: 'There is more than `limit`, or directories that no path of a request can name.',
    }),
    unnamed: Type.Integer({
      minimum: 0,
      description: 'Entries that were seen and are left out: their names are not UTF-8.',
    }),
  },
  { $id: 'FileList' },
)
export type FileList = Static<typeof FileList>

export const ArchiveUnpacked = Type.Object(
  { files: Type.Integer({ minimum: 0 }), bytes: Type.Integer({ minimum: 0, description: 'Unpacked.' }) },
  { $id: 'ArchiveUnpacked' },
)
export type ArchiveUnpacked = Static<typeof ArchiveUnpacked>

export const FileChangeFrame = Type.Object(
  {
    path: Type.String({ description: 'Empty when more has changed than can be told: read the tree again.' }),
    change: Type.Enum(['created', 'modified', 'deleted']),
    timestamp: Timestamp,
  },
  { $id: 'FileChange', description: 'Data of an event `file`.' },
)
export type FileChangeFrame = Static<typeof FileChangeFrame>

export const FileListQuery = Type.Object(
  {
    path: Type.Optional(Path),
    depth: Type.Optional(
      Type.Integer({ minimum: 1, maximum: fileLimits.depth, default: 1, description: 'Levels of directories.' }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: fileLimits.entries, default: 1000 })),
  },
  { $id: 'FileListQuery', additionalProperties: false },
)
export type FileListQuery = Static<typeof FileListQuery>

export const FileQuery = Type.Object({ path: Path }, { $id: 'FileQuery', additionalProperties: false })
export type FileQuery = Static<typeof FileQuery>

export const FileRemoveQuery = Type.Object(
  {
    path: Path,
    recursive: Type.Optional(
      Type.Boolean({ default: false, description: 'Remove a directory with all that is in it.' }),
    ),
  },
  { $id: 'FileRemoveQuery', additionalProperties: false },
)
export type FileRemoveQuery = Static<typeof FileRemoveQuery>

export const MakeDirectoryRequest = Type.Object(
  { path: Path },
  { $id: 'MakeDirectoryRequest', additionalProperties: false },
)
export type MakeDirectoryRequest = Static<typeof MakeDirectoryRequest>

export const MoveRequest = Type.Object(
  {
    from: Path,
    to: Path,
    overwrite: Type.Optional(Type.Boolean({ default: false, description: 'Replace what is there.' })),
  },
  { $id: 'MoveRequest', additionalProperties: false },
)
export type MoveRequest = Static<typeof MoveRequest>

export const ArchiveQuery = Type.Object(
  {
    path: Type.Optional(Path),
    changed: Type.Optional(
      Type.Boolean({ default: false, description: 'Only files that differ from what the workspace began with.' }),
    ),
    git: Type.Optional(Type.Boolean({ default: false, description: 'With `.git`.' })),
    secrets: Type.Optional(
      Type.Boolean({ default: false, description: 'With files that look like secrets; needs `files:secrets`.' }),
    ),
  },
  { $id: 'ArchiveQuery', additionalProperties: false },
)
export type ArchiveQuery = Static<typeof ArchiveQuery>
