import { fieldsOf, textOf } from './fields.ts'
import type { Target } from './target.ts'

/** SDKs write it first. */
const FIRST = /^\s*\{\s*"model"\s*:\s*"([^"\\]+)"/
const HEAD_BYTES = 512
const MAX_CHARACTERS = 256

/**
 * The model that a call is for; undefined when the call names none, one with too long a name, or begins with another
 * than it ends with: of a name that is there twice nobody knows which one a provider takes.
 */
export function modelName({ dialect, path }: Pick<Target, 'dialect' | 'path'>, body: Buffer): string | undefined {
  const name = dialect === 'google' ? /\/models\/([^/:?]+):/.exec(path)?.[1] : nameInBody(body)
  return name === undefined || name.length > MAX_CHARACTERS ? undefined : name
}

function nameInBody(body: Buffer): string | undefined {
  const first = FIRST.exec(body.toString('utf8', 0, HEAD_BYTES))?.[1]
  try {
    const name = textOf(fieldsOf(JSON.parse(body.toString('utf8')))['model'])
    return first === undefined || first === name ? name : undefined
  } catch {
    return undefined
  }
}
