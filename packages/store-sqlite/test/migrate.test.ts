import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { it } from 'node:test'
import { migrate } from '../src/migrate.ts'
import { migrations } from '../src/migrations.ts'

const tables = (db: DatabaseSync): unknown[] =>
  db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .all()
    .map(({ name }) => name)

it('steps are taken in order, and only those that are missing', () => {
  using db = new DatabaseSync(':memory:')
  assert.deepEqual(migrate(db, ['CREATE TABLE a (x)']), { from: 0, to: 1 })
  const steps = ['CREATE TABLE a (x)', 'ALTER TABLE a ADD COLUMN y', 'INSERT INTO a VALUES (1, 2)']
  assert.deepEqual(migrate(db, steps), { from: 1, to: 3 })
  assert.deepEqual(migrate(db, steps), { from: 3, to: 3 })
  assert.deepEqual({ ...db.prepare('SELECT * FROM a').get() }, { x: 1, y: 2 })
})

it('a step that fails leaves nothing, and the steps before it stay', () => {
  using db = new DatabaseSync(':memory:')
  const steps = ['CREATE TABLE a (x)', 'CREATE TABLE b (x); CREATE TABLE b (x)']
  assert.throws(() => migrate(db, steps), /table b already exists/)
  assert.deepEqual(tables(db), ['a'])
  assert.deepEqual(migrate(db, [...steps.slice(0, 1), 'CREATE TABLE c (x)']), { from: 1, to: 2 })
  assert.deepEqual(tables(db), ['a', 'c'])
})

it('a schema that is newer than the steps is refused', () => {
  using db = new DatabaseSync(':memory:')
  migrate(db, ['CREATE TABLE a (x)', 'CREATE TABLE b (x)'])
  assert.throws(() => migrate(db, ['CREATE TABLE a (x)']), /version 2 .* up to 1/)
})

it('the released steps build the schema', () => {
  using db = new DatabaseSync(':memory:')
  assert.deepEqual(migrate(db, migrations), { from: 0, to: migrations.length })
  assert.deepEqual(tables(db), [
    'counters',
    'events',
    'idempotency_keys',
    'model_usage',
    'provider_defaults',
    'provider_versions',
    'providers',
    'run_inputs',
    'run_keys',
    'runs',
    'session_fills',
    'session_labels',
    'sessions',
  ])
})
