import { refused, type RefusedField } from './refused.ts'

const MAX_LENGTH = 200
// What `git check-ref-format` forbids, and what would be read as an option or as something other than a branch.
const FORBIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp} ~^:?*[\\]|\.\.|@\{|\/\/|^[-/.]|[/.]$|\/\.|\.lock(\/|$)/u

/** Throws REPOSITORY_REFUSED for what cannot be the name of a branch. */
export function checkBranchName(name: string, field: RefusedField): void {
  if (name === '') throw refused(field, 'is empty')
  if (name.length > MAX_LENGTH) throw refused(field, `is longer than ${MAX_LENGTH} characters`)
  if (FORBIDDEN.test(name) || name === '@') throw refused(field, 'is not a name that git allows for a branch')
  if (/^(?:HEAD|FETCH_HEAD|ORIG_HEAD|MERGE_HEAD)$/i.test(name) || name.startsWith('refs/')) {
    throw refused(field, 'must be the name of a branch, without "refs/heads/"')
  }
}
