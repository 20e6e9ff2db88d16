import { dialectOf, type Dialect } from './dialect.ts'

/** What a call is for. */
export interface Target {
  provider: string
  dialect: Dialect
  /** Below the provider's base URL, with the query. */
  path: string
}

const PLAIN = /^\/([A-Za-z0-9._-]+)(\/[\w./:@-]+)(\?[\w.=&%:+-]*)?$/

/** Reads `/<provider>/<path of its API>`; undefined for all that does not lead to a model in plain words. */
export function readTarget(url: string): Target | undefined {
  const [, provider, path, query = ''] = PLAIN.exec(url) ?? []
  if (provider === undefined || path === undefined) return undefined
  if (path.split('/').some((part) => part === '.' || part === '..')) return undefined
  const dialect = dialectOf(path)
  return dialect && { provider, dialect, path: path + query }
}
