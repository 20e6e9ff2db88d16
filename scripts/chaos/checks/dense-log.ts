import type { SessionFacts } from '../facts.ts'
import type { Check } from './check.ts'

export const denseLog: Check<SessionFacts> = {
  name: 'the log is 1…n',
  complaints({ sessionId, log }) {
    const wrong = log.findIndex(({ id }, at) => id !== at + 1)
    if (log.length === 0) return [`the log of session ${sessionId} is empty`]
    return wrong < 0 ? [] : [`place ${wrong + 1} of the log of session ${sessionId} has event ${log[wrong]?.id}`]
  },
}
