import { budgetAsking } from '../../orders/budgets.ts'
import * as parse from '../parsers.ts'
import { optional, variable } from '../variable.ts'
import { DAY, HOUR, SECOND } from './units.ts'

/** What a run may take. */
export const runVariables = {
  executionTimeMs: optional(
    'MAX_EXECUTION_TIME',
    parse.duration(SECOND, 7 * DAY),
    'Time limit of a run, and the most a request may ask for. Unless set 300s for /run and 3600s in sessions, and 3600s the most.',
    { aliases: ['SESSION_TIMEOUT', 'TASK_TIMEOUT'] },
  ),
  startTimeoutMs: variable(
    'START_TIMEOUT',
    parse.duration(SECOND, HOUR),
    '60s',
    'How long opening a session in the engine may take.',
  ),
  idleTimeoutMs: variable(
    'IDLE_TIMEOUT',
    parse.duration(SECOND, DAY),
    '10m',
    'How long a run may go without any event before it is ended.',
  ),
  askTimeoutMs: variable(
    'ASK_TIMEOUT',
    parse.duration(30 * SECOND, HOUR),
    '300s',
    'How long a permission or question of the agent waits for its answer before it is refused.',
  ),
  maxModelCalls: variable(
    'MAX_MODEL_CALLS',
    parse.integer(1, 1_000_000),
    '250',
    'Calls of the model a run may make, sub-agents included; more is taken for a loop.',
  ),
  runBudget: optional(
    'RUN_BUDGET',
    parse.budget,
    'What a run may use of models: "calls=100,tokens=1000000,cost=2.50,wall=2h" (USD; how long it works), or some of these. Then it ends budget_exceeded. With a cost, models of unknown price are not called.',
  ),
  runBudgetRaise: optional(
    'RUN_BUDGET_RAISE',
    parse.budget,
    'What the budget of a run may be raised to by the answer to its ask. RUN_BUDGET unless set; what neither limits has no limit.',
  ),
  budgetAsk: variable(
    'BUDGET_ASK',
    parse.oneOf(...budgetAsking),
    'request',
    'Whether runs ask at a limit of a budget instead of ending: never, where the request says "on_limit": "ask", or always unless it says "end".',
  ),
  sessionBudget: optional('SESSION_BUDGET', parse.budget, 'The same for all runs of a session together.'),
  dayBudget: optional('DAY_BUDGET', parse.budget, 'The same for all runs of one tenant on a day (UTC).'),
  maxOutputBytes: variable(
    'MAX_OUTPUT_SIZE',
    parse.integer(1024, 1_073_741_824),
    '10485760',
    'Output of a run that is kept, in bytes; what comes after is cut off with a note.',
  ),
  cancelGraceMs: variable(
    'CANCEL_GRACE',
    parse.duration(2 * SECOND, HOUR),
    '10s',
    'How long a cancel may take. An engine of our own that has not stopped the run after 60 % of it is ended and replaced.',
  ),
}
