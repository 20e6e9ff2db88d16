import { clientVariables } from './variables/client.ts'
import { dockerVariables } from './variables/docker.ts'
import { engineVariables } from './variables/engine.ts'
import { gitVariables } from './variables/git.ts'
import { listenerVariables } from './variables/listener.ts'
import { modelVariables } from './variables/model.ts'
import { placeVariables } from './variables/place.ts'
import { processVariables } from './variables/process.ts'
import { retentionVariables } from './variables/retention.ts'
import { runVariables } from './variables/run.ts'
import { workspaceVariables } from './variables/workspace.ts'

/** Every environment variable of the gateway but the provider keys, in the order of `.env.example`. */
export const variables = {
  ...listenerVariables,
  ...placeVariables,
  ...engineVariables,
  ...dockerVariables,
  ...modelVariables,
  ...gitVariables,
  ...workspaceVariables,
  ...runVariables,
  ...clientVariables,
  ...retentionVariables,
  ...processVariables,
}
