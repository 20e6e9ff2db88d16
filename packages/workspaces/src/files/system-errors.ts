import { GatewayError } from '@opencode-gateway/contracts'
import type { ErrorCode } from '@opencode-gateway/contracts'
import { quoted } from './path.ts'

const CODES: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOENT: ['FILE_NOT_FOUND', 'is not there'],
  ENOTDIR: ['NOT_A_DIRECTORY', 'leads through something that is no directory'],
  ELOOP: ['LINK_DENIED', 'leads through a link'],
  EISDIR: ['NOT_A_FILE', 'is a directory'],
  ENXIO: ['NOT_A_FILE', 'is no file'],
  EEXIST: ['FILE_EXISTS', 'is there already'],
  ENOTEMPTY: ['DIRECTORY_NOT_EMPTY', 'is a directory that is not empty'],
  ENAMETOOLONG: ['INVALID_REQUEST', 'is too long'],
  EACCES: ['FORBIDDEN', 'is closed to the gateway by its permissions'],
  EPERM: ['FORBIDDEN', 'is closed to the gateway by its permissions'],
  EROFS: ['FORBIDDEN', 'cannot be changed: the file system is read-only'],
  ENOSPC: ['WORKSPACE_FULL', 'cannot be written: the disk is full'],
  EDQUOT: ['WORKSPACE_FULL', 'cannot be written: the disk quota is used up'],
}

/** What the system says of a file, as an error of the closed set; one that is of it already stays as it is. */
export function fileError(error: unknown, path: string): GatewayError {
  if (error instanceof GatewayError) return error
  const [code, text] = CODES[systemCode(error) ?? ''] ?? ['WORKSPACE_ERROR', `failed: ${describe(error)}`]
  return new GatewayError(code, `${quoted(path)} ${text}.`, { cause: error })
}

/** `ENOENT` and the like; undefined for what the system did not say. */
export const systemCode = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

const describe = (error: unknown): string => systemCode(error) ?? (error instanceof Error ? error.name : 'unknown')
