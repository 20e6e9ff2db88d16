import type { DatabaseSync, SQLInputValue } from 'node:sqlite'

/** A prepared statement whose rows have a known shape: the one place where SQLite's rows get their types. */
export interface Query<Row> {
  get(...params: SQLInputValue[]): Row | undefined
  all(...params: SQLInputValue[]): Row[]
  iterate(...params: SQLInputValue[]): Iterable<Row>
}

export function prepareQuery<Row>(db: DatabaseSync, sql: string): Query<Row> {
  const statement = db.prepare(sql)
  return {
    get: (...params) => statement.get(...params) as Row | undefined,
    all: (...params) => statement.all(...params) as Row[],
    iterate: (...params) => statement.iterate(...params) as Iterable<Row>,
  }
}
