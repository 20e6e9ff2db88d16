import { fieldsOf, textOf } from './fields.ts'
import type { Target } from './target.ts'

/** SDKs write it first. */
const FIRST = /^\s*\{\s*"model"\s*:\s*"([^"\\]+)"/
const HEAD_BYTES = 512

/** The model that a call is for; undefined when the call names none. */
export function modelName({ dialect, path }: Pick<Target, 'dialect' | 'path'>, body: Buffer): string | undefined {
  if (dialect === 'google') return /\/models\/([^/:?]+):/.exec(path)?.[1]
  const quick = FIRST.exec(body.toString('utf8', 0, HEAD_BYTES))?.[1]
  if (quick !== undefined) return quick
  try {
    return textOf(fieldsOf(JSON.parse(body.toString('utf8')))['model'])
  } catch {
    return undefined
  }
}
