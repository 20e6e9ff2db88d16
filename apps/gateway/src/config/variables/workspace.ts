import * as parse from '../parsers.ts'
import { variable } from '../variable.ts'

/** What a workspace may hold. */
export const workspaceVariables = {
  maxWorkspaceBytes: variable(
    'WORKSPACE_MAX_BYTES',
    parse.integer(1_048_576, Number.MAX_SAFE_INTEGER),
    '5368709120',
    'Most a workspace may hold, in bytes: repositories, archives and forks that bring more are refused, a run that leaves more ends with WORKSPACE_FULL.',
  ),
  maxWorkspaceFiles: variable(
    'WORKSPACE_MAX_FILES',
    parse.integer(1, 100_000_000),
    '1000000',
    'Most files and directories a workspace may hold; as WORKSPACE_MAX_BYTES.',
  ),

  maxCheckpoints: variable(
    'WORKSPACE_SNAPSHOTS',
    parse.integer(0, 10_000),
    '20',
    'Of how many runs of a session it is remembered what they left in its workspace; with 0 of none.',
  ),
}
