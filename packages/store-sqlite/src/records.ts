/** Rows as SQLite gives them: `null` for absent, JSON as text, 0 and 1 for booleans. They cross the thread as they are. */
export interface SessionRecord {
  id: number
  session_id: string
  tenant: string
  executor: string
  title: string
  labels: string
  created_at: number
  updated_at: number
  ref: string | null
  one_shot: number
  keep_workspace: number
  retention_ms: number | null
  closed_at: number | null
  released_at: number | null
  first_seq: number
  last_seq: number
  open_runs: number
  status: string
  current_run_id: string | null
}

export interface RunRecord {
  id: number
  run_id: string
  session_id: string
  tenant: string
  input: string
  state: string
  epoch: number
  owner: string | null
  lease_until: number | null
  attempts: number
  limits: string
  request_id: string
  created_at: number
  claimed_at: number | null
  prompted_at: number | null
  ended_at: number | null
  cancel_requested_at: number | null
  progress: number
  current_tool: string | null
  asks: string
  complete: string | null
}

export interface EventRecord {
  seq: number
  run_id: string | null
  type: string
  at: number
  json: string
}

export interface QueuedRecord {
  id: number
  run_id: string
  session_id: string
  tenant: string
  created_at: number
}

/** An event on its way in: its type and its data as JSON, written once, on the caller's thread. */
export type EventText = readonly [type: string, json: string]
