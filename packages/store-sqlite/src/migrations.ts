/**
 * The schema, step by step. A step that has been released is never edited: what comes later is a new one at the end.
 *
 * Sessions and runs have an internal number besides their public id: events refer to it, and the order of the numbers
 * is the order in which the store took them in. A session's `head_run` owns its oldest kept event; `head_ended_at` is
 * set once that run has ended, so that expiry finds what it may drop without a scan.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE sessions (
    id INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    executor TEXT NOT NULL,
    title TEXT NOT NULL,
    labels TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    ref TEXT,
    one_shot INTEGER NOT NULL,
    keep_workspace INTEGER NOT NULL,
    closed_at INTEGER,
    released_at INTEGER,
    first_seq INTEGER NOT NULL DEFAULT 1,
    last_seq INTEGER NOT NULL DEFAULT 0,
    latest_run INTEGER,
    open_runs INTEGER NOT NULL DEFAULT 0,
    status TEXT NOT NULL DEFAULT 'idle',
    head_run INTEGER,
    head_ended_at INTEGER
  ) STRICT;
  CREATE INDEX sessions_by_tenant ON sessions (tenant, created_at, session_id);
  CREATE INDEX sessions_by_status ON sessions (tenant, status, created_at, session_id);
  CREATE INDEX sessions_held ON sessions (created_at, session_id) WHERE ref IS NOT NULL AND released_at IS NULL;
  CREATE INDEX sessions_to_trim ON sessions (head_ended_at) WHERE head_ended_at IS NOT NULL;

  CREATE TABLE session_labels (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    session_id TEXT NOT NULL,
    session INTEGER NOT NULL,
    PRIMARY KEY (tenant, name, value, created_at, session_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    session INTEGER NOT NULL,
    state TEXT NOT NULL,
    epoch INTEGER NOT NULL DEFAULT 0,
    owner TEXT,
    lease_until INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    request_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    claimed_at INTEGER,
    prompted_at INTEGER,
    ended_at INTEGER,
    cancel_requested_at INTEGER,
    progress INTEGER NOT NULL DEFAULT 0,
    current_tool TEXT,
    asks TEXT NOT NULL DEFAULT '[]',
    complete TEXT
  ) STRICT;
  CREATE INDEX runs_of_session ON runs (session, id);
  CREATE INDEX runs_open ON runs (session, id) WHERE ended_at IS NULL;
  CREATE INDEX runs_unfinished ON runs (id) WHERE ended_at IS NULL;
  CREATE INDEX runs_queued ON runs (id) WHERE state = 'queued';

  -- Apart from the run, whose row is written again at every change; a prompt may be long.
  CREATE TABLE run_inputs (run INTEGER PRIMARY KEY, input TEXT NOT NULL, limits TEXT NOT NULL) STRICT;

  CREATE TABLE events (
    session INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    run INTEGER,
    epoch INTEGER NOT NULL,
    type TEXT NOT NULL,
    at INTEGER NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (session, seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE idempotency_keys (
    tenant TEXT NOT NULL,
    route TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    session INTEGER NOT NULL,
    run INTEGER,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, route, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX idempotency_keys_by_age ON idempotency_keys (expires_at);

  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO counters VALUES ('queued', 0), ('checks', 0);
  CREATE TRIGGER runs_queued_new AFTER INSERT ON runs WHEN new.state = 'queued' BEGIN
    UPDATE counters SET value = value + 1 WHERE name = 'queued';
  END;
  CREATE TRIGGER runs_queued_moved AFTER UPDATE OF state ON runs
  WHEN (old.state = 'queued') <> (new.state = 'queued') BEGIN
    UPDATE counters SET value = value + (new.state = 'queued') - (old.state = 'queued') WHERE name = 'queued';
  END;
  `,
  `
  -- Apart from the session, whose row is read at every look at it.
  CREATE TABLE session_fills (session INTEGER PRIMARY KEY, fill TEXT NOT NULL) STRICT;
  -- Never more rows than runs may work at once: they are counted at every admission.
  CREATE INDEX runs_at_work ON runs (id) WHERE ended_at IS NULL AND state <> 'queued';
  `,
  `
  CREATE INDEX events_asks ON events (session, json_extract(json, '$.ask_id')) WHERE type = 'ask';
  `,
  `
  -- One row for each run, day and model: it stays when the events of the run are dropped.
  CREATE TABLE model_usage (
    run_id TEXT NOT NULL,
    day TEXT NOT NULL,
    model TEXT NOT NULL,
    tenant TEXT NOT NULL,
    session_id TEXT NOT NULL,
    calls INTEGER NOT NULL,
    input INTEGER NOT NULL,
    output INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_write INTEGER NOT NULL,
    cost_usd REAL NOT NULL,
    unpriced INTEGER NOT NULL,
    uncounted INTEGER NOT NULL,
    PRIMARY KEY (run_id, day, model)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX model_usage_by_session ON model_usage (session_id);
  CREATE INDEX model_usage_by_day ON model_usage (tenant, day);
  `,
  `
  ALTER TABLE sessions ADD COLUMN retention_ms INTEGER;
  DROP INDEX sessions_held;
  CREATE INDEX sessions_held ON sessions (created_at, session_id) WHERE released_at IS NULL;
  CREATE INDEX sessions_to_close ON sessions (updated_at + retention_ms) WHERE closed_at IS NULL AND open_runs = 0;
  CREATE INDEX sessions_to_forget ON sessions (updated_at)
    WHERE closed_at IS NOT NULL AND released_at IS NOT NULL AND open_runs = 0;
  CREATE INDEX session_labels_of ON session_labels (session);
  CREATE INDEX idempotency_keys_of ON idempotency_keys (session);
  `,
  `
  -- A name is made anew with another provider_id after it was deleted.
  CREATE TABLE providers (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, name)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX providers_by_id ON providers (provider_id);
  CREATE TABLE provider_versions (
    provider_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    endpoint TEXT,
    model TEXT,
    sealed_key TEXT,
    restored_from INTEGER,
    written_at INTEGER NOT NULL,
    PRIMARY KEY (provider_id, version)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE provider_defaults (tenant TEXT PRIMARY KEY, provider_id TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
  `
  -- Only of runs that have not ended.
  CREATE TABLE run_keys (run INTEGER PRIMARY KEY, sealed TEXT NOT NULL) STRICT;
  `,
  `
  ALTER TABLE model_usage ADD COLUMN key_id TEXT NOT NULL DEFAULT '';
  ALTER TABLE model_usage ADD COLUMN estimated INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE model_usage ADD COLUMN wall_ms INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX model_usage_by_key ON model_usage (key_id, day);
  -- What is left of the usage of sessions that are forgotten.
  CREATE TABLE usage_days (
    tenant TEXT NOT NULL,
    day TEXT NOT NULL,
    key_id TEXT NOT NULL,
    model TEXT NOT NULL,
    calls INTEGER NOT NULL,
    input INTEGER NOT NULL,
    output INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_write INTEGER NOT NULL,
    cost_usd REAL NOT NULL,
    unpriced INTEGER NOT NULL,
    uncounted INTEGER NOT NULL,
    estimated INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, day, key_id, model)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX usage_days_by_key ON usage_days (key_id, day);
  CREATE INDEX usage_days_by_age ON usage_days (day);
  INSERT INTO usage_days
    SELECT tenant, day, key_id, model, sum(calls), sum(input), sum(output), sum(reasoning), sum(cache_read),
      sum(cache_write), sum(cost_usd), sum(unpriced), sum(uncounted), sum(estimated), sum(wall_ms)
    FROM model_usage WHERE session_id NOT IN (SELECT session_id FROM sessions) GROUP BY tenant, day, key_id, model;
  DELETE FROM model_usage WHERE session_id NOT IN (SELECT session_id FROM sessions);
  CREATE INDEX sessions_of_before_retention ON sessions (retention_ms) WHERE closed_at IS NULL AND retention_ms IS NULL;
  `,
  `
  -- One row for each limit: what was raised for another day, or when another limit was set, holds no more.
  CREATE TABLE raised_limits (
    owner TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    day TEXT NOT NULL,
    configured REAL NOT NULL,
    more REAL NOT NULL,
    PRIMARY KEY (owner, id, name)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- That of its session, for the turns that tenants take in the queue. Empty in runs that had ended before.
  ALTER TABLE runs ADD COLUMN tenant TEXT NOT NULL DEFAULT '';
  UPDATE runs SET tenant = (SELECT tenant FROM sessions WHERE sessions.id = runs.session) WHERE ended_at IS NULL;
  CREATE INDEX runs_queued_of_tenant ON runs (tenant, id) WHERE state = 'queued';
  `,
  `
  -- A session shows its oldest run that has not ended, which works or begins next; the latest when all have ended.
  ALTER TABLE sessions RENAME COLUMN latest_run TO current_run;
  UPDATE sessions SET (current_run, status) = (
    SELECT id, CASE WHEN state IN ('queued', 'starting') THEN 'pending' ELSE state END
    FROM runs WHERE session = sessions.id AND ended_at IS NULL ORDER BY id LIMIT 1
  ) WHERE open_runs > 0;
  `,
]
