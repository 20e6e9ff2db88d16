import type { SessionFacts } from '../facts.ts'
import type { Check } from './check.ts'

/** No gap, no duplicate, nothing that a crash took back: what arrived is the log. */
export const transcriptIsLog: Check<SessionFacts> = {
  name: "a client's transcript is the log",
  complaints({ sessionId, log, received }) {
    const length = Math.max(log.length, received.length)
    for (let at = 0; at < length; at += 1) {
      const [written, arrived] = [log[at], received[at]]
      if (!arrived) return [`the client of session ${sessionId} has ${received.length} of ${log.length} events`]
      if (!written) return [`the client of session ${sessionId} got event ${arrived.id}, which the log does not have`]
      if (arrived.id !== written.id) {
        return [`the client of session ${sessionId} got event ${arrived.id} where the log has ${written.id}`]
      }
      if (arrived.event !== written.event || arrived.data !== JSON.stringify(written.data)) {
        return [`event ${arrived.id} of session ${sessionId} reached the client otherwise than it is in the log`]
      }
    }
    return []
  },
}
