import { gatewayKillRemote } from './cases/gateway-kill-remote.ts'
import { cancel } from './cases/cancel.ts'
import { crashPointsEmbedded, crashPointsRemote } from './cases/crash-points.ts'
import { engineKill } from './cases/engine-kill.ts'
import { gatewayKill } from './cases/gateway-kill.ts'
import { idempotency } from './cases/idempotency.ts'
import { soak } from './cases/soak.ts'
import type { Scenario } from './scenario.ts'

export const scenarios: readonly Scenario[] = [
  gatewayKill,
  gatewayKillRemote,
  crashPointsEmbedded,
  crashPointsRemote,
  engineKill,
  cancel,
  idempotency,
  soak,
]
