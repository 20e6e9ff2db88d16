import type { FileEntry, FileEntryView, FileInfo, FileStat } from '@opencode-gateway/contracts'
import { isoTime } from './run-view.ts'

export function fileEntry({ path, kind, size, modifiedAt, mode }: FileEntry): FileEntryView {
  return { path, type: kind, size, modified_at: isoTime(modifiedAt), mode: mode.toString(8).padStart(4, '0') }
}

export function fileInfo(stat: FileStat): FileInfo {
  const { tag, text } = stat
  return {
    ...fileEntry(stat),
    ...(tag === undefined ? {} : { etag: etagOf(tag) }),
    ...(text === undefined ? {} : { text }),
  }
}

export const etagOf = (tag: string): string => `"${tag}"`
