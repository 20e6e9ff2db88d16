import * as parse from '../parsers.ts'
import { variable } from '../variable.ts'
import { DAY, SECOND } from './units.ts'

/** How long things are kept. */
export const retentionVariables = {
  eventRetentionMs: variable(
    'EVENT_RETENTION',
    parse.duration(SECOND, 3650 * DAY),
    '7d',
    'How long events of ended runs are kept.',
  ),
  workspaceRetentionMs: variable(
    'WORKSPACE_RETENTION',
    parse.duration(SECOND, 3650 * DAY),
    '7d',
    'How long after its last change a session without an open run can be used, unless its request says otherwise; then its workspace is removed.',
  ),
  sessionRetentionMs: variable(
    'SESSION_RETENTION',
    parse.duration(SECOND, 3650 * DAY),
    '30d',
    'How long after that, or after it was deleted, a session can be read; then it is forgotten, with its runs and events.',
  ),
  usageRetentionMs: variable(
    'USAGE_RETENTION',
    parse.duration(DAY, 3650 * DAY),
    '400d',
    'How long GET /usage and the budgets of API keys know what models were used for in sessions that are forgotten; until then by day, key and model.',
  ),
}
