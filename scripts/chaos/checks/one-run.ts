import type { Check } from './check.ts'

/** What came of equal requests with one idempotency key. */
export interface SameKey {
  answers: readonly { status: number; body: Readonly<Record<string, unknown>> }[]
  /** Runs that were made, and first turns at the model. */
  runs: number
  begun: number
}

export const oneRunForAll: Check<SameKey> = {
  name: 'one key, one run, one answer',
  complaints({ answers, runs, begun }) {
    // The id of the request is each request's own.
    const different = new Set(answers.map(({ status, body }) => JSON.stringify({ status, ...body, request_id: '' })))
    const bad = answers.find(({ status }) => status !== 200)
    return [
      ...(answers.length === 0 ? ['nobody was answered'] : []),
      ...(bad === undefined ? [] : [`an answer is ${bad.status}: ${JSON.stringify(bad.body)}`]),
      ...(different.size <= 1 ? [] : [`there are ${different.size} different answers: ${[...different].join(' / ')}`]),
      ...(runs === 1 ? [] : [`there are ${runs} runs`]),
      ...(begun === 1 ? [] : [`the model was asked ${begun} times`]),
    ]
  },
}
