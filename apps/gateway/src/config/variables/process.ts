import { crashPoints, otherCrashPoints } from '@opencode-gateway/sessions'
import * as parse from '../parsers.ts'
import { optional, variable } from '../variable.ts'
import { HOUR, SECOND } from './units.ts'

/** The process itself. */
export const processVariables = {
  maxEventLoopDelayMs: variable(
    'MAX_EVENT_LOOP_DELAY',
    parse.duration(10, HOUR),
    '1s',
    'When the process lags more than this, new work is answered with 503.',
  ),
  crashAt: optional(
    'CRASH_AT',
    parse.oneOf(...crashPoints, ...otherCrashPoints),
    'For tests: kills the process at a named place, as a crash would.',
    { unlisted: true },
  ),
  shutdownGraceMs: variable(
    'SHUTDOWN_GRACE',
    parse.duration(2 * SECOND, HOUR),
    '25s',
    'Time from SIGTERM to the end of the process. Runs may finish in it but for the last 5s, which are for closing; what still works is handed over to the next start.',
  ),
}
