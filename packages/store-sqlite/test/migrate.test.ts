import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { it } from 'node:test'
import { migrate } from '../src/migrate.ts'
import { migrations } from '../src/migrations.ts'
import { createOperations } from '../src/operations.ts'

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
    'raised_limits',
    'run_inputs',
    'run_keys',
    'runs',
    'session_fills',
    'session_labels',
    'sessions',
    'usage_days',
  ])
})

it('what waited in line before tenants took turns goes on waiting, in the line of its tenant', () => {
  using db = new DatabaseSync(':memory:')
  migrate(db, migrations.slice(0, 8))
  db.exec(`INSERT INTO sessions (session_id, tenant, executor, title, labels, created_at, updated_at, one_shot, keep_workspace)
    VALUES ('s1', 'acme', 'server', '', '{}', 1, 1, 0, 0);
    INSERT INTO runs (run_id, session, state, request_id, created_at) VALUES ('r1', 1, 'queued', 'q', 1);
    INSERT INTO run_inputs VALUES (1, '{}', '{}')`)
  migrate(db, migrations)
  const { reads, writes } = createOperations(db)
  assert.deepEqual(
    reads.listQueued(10).map(({ run_id, tenant }) => [run_id, tenant]),
    [['r1', 'acme']],
  )
  const { status } = writes.addRun(
    { runId: 'r2', sessionId: 's1', tenant: 'acme', requestId: 'q', createdAt: 2, input: '{}', limits: '{}' },
    { maxQueued: 9, maxQueuedOfTenant: 1, rejectWhenBusy: false },
  )
  assert.equal(status, 'queue_full')
})

it('a session of before shows the run that works, not those behind it', () => {
  using db = new DatabaseSync(':memory:')
  migrate(db, migrations.slice(0, 10))
  db.exec(`INSERT INTO sessions (session_id, tenant, executor, title, labels, created_at, updated_at, one_shot, keep_workspace,
      latest_run, open_runs, status)
    VALUES ('busy', 'acme', 'server', '', '{}', 1, 1, 0, 0, 2, 2, 'pending'),
      ('one left', 'acme', 'server', '', '{}', 1, 1, 0, 0, 4, 1, 'cancelled'),
      ('over', 'acme', 'server', '', '{}', 1, 1, 0, 0, 5, 0, 'failed');
    INSERT INTO runs (run_id, session, tenant, state, request_id, created_at, ended_at)
    VALUES ('r1', 1, 'acme', 'running', 'q', 1, NULL), ('r2', 1, 'acme', 'queued', 'q', 1, NULL),
      ('r3', 2, 'acme', 'starting', 'q', 1, NULL), ('r4', 2, 'acme', 'cancelled', 'q', 1, 2),
      ('r5', 3, 'acme', 'failed', 'q', 1, 2)`)
  migrate(db, migrations)
  const { reads } = createOperations(db)
  const shown = ['busy', 'one left', 'over'].map((id) => reads.getSession(id))
  assert.deepEqual(
    shown.map((session) => [session?.current_run_id, session?.status]),
    [
      ['r1', 'running'],
      ['r3', 'pending'],
      ['r5', 'failed'],
    ],
  )
})

it('what forgotten sessions used before there were sums by day becomes one, and the rest stays', () => {
  using db = new DatabaseSync(':memory:')
  migrate(db, migrations.slice(0, 5))
  db.exec(`INSERT INTO sessions (session_id, tenant, executor, title, labels, created_at, updated_at, one_shot, keep_workspace)
    VALUES ('there', 'acme', 'server', '', '{}', 1, 1, 0, 0)`)
  const add = db.prepare('INSERT INTO model_usage VALUES (?, ?, ?, ?, ?, 1, 10, 5, 0, 0, 0, 0.5, 0, 0)')
  add.run('r1', '2026-11-21', 'm', 'acme', 'gone')
  add.run('r2', '2026-11-21', 'm', 'acme', 'gone')
  add.run('r3', '2026-11-21', 'm', 'acme', 'there')
  migrate(db, migrations)
  const sums = db.prepare('SELECT tenant, day, model, calls, input, cost_usd, estimated FROM usage_days').all()
  const row = { tenant: 'acme', day: '2026-11-21', model: 'm', calls: 2, input: 20, cost_usd: 1, estimated: 0 }
  assert.deepEqual(
    sums.map((sum) => ({ ...sum })),
    [row],
  )
  assert.deepEqual(
    db
      .prepare('SELECT run_id FROM model_usage')
      .all()
      .map((left) => left['run_id']),
    ['r3'],
  )
})
