import * as parse from '../parsers.ts'
import { optional } from '../variable.ts'

/** Where things are kept. */
export const placeVariables = {
  dataDir: optional(
    'DATA_DIR',
    parse.text,
    'Database, lock and engine state; $XDG_DATA_HOME/opencode-gateway unless set.',
  ),
  workspaceRoot: optional('WORKSPACE_ROOT', parse.text, 'Where workspaces are made; $DATA_DIR/workspaces unless set.', {
    aliases: ['WORKSPACE_DIR'],
  }),
}
