import {
  GatewayError,
  type AskAnswer,
  type AskAnswerRequest,
  type BudgetAnswer,
  type FieldProblem,
} from '@opencode-gateway/contracts'
import { readAmounts } from './budgets.ts'
import { oneOrAll } from '../http/one-or-all.ts'

const forms = ['reply', 'answers', 'reject', 'raise', 'stop'] as const

/** The answer a request gives. Throws INVALID_REQUEST unless it is exactly one. */
export function readAnswer(request: AskAnswerRequest): AskAnswer | BudgetAnswer {
  const { reply, message, answers, reject, raise, stop } = request
  const given = forms.filter((name) => request[name] !== undefined)
  if (given.length !== 1) {
    const reason = given.length === 0 ? `one of ${forms.join(', ')} is required` : 'excludes the others'
    const fields = given.length === 0 ? ['body'] : given
    throw refusal(
      'An answer is one of "reply" (to a permission request), "answers" and "reject" (to a question), "raise" and "stop" (at a budget).',
      fields.map((field) => ({ field, reason })),
    )
  }
  if (message !== undefined && reply !== 'reject') {
    throw refusal('A message goes with "reply": "reject" alone.', [
      { field: 'message', reason: 'needs "reply": "reject"' },
    ])
  }
  if (raise !== undefined) return { raise: readAmounts(raise, 'raise') }
  if (stop !== undefined) return { stop }
  if (answers !== undefined) return { answers }
  if (reject !== undefined) return { reject }
  if (reply === undefined) throw new Error('an answer that was checked has none')
  return { reply, ...(message === undefined ? {} : { message }) }
}

function refusal(text: string, problems: readonly FieldProblem[]): GatewayError {
  return new GatewayError('INVALID_REQUEST', text, { details: oneOrAll(problems) })
}
