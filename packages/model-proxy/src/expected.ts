/** Sessions whose run is being found again: until it is metered their calls wait. */
export interface Expected {
  expect(sessionId: string): Disposable
  arrived(sessionId: string): void
  /** Settles when the session is waited for no more; undefined when it is not waited for. */
  coming(sessionId: string): Promise<void> | undefined
}

export function createExpected(): Expected {
  const sessions = new Map<string, PromiseWithResolvers<void>>()
  const arrived = (sessionId: string): void => {
    sessions.get(sessionId)?.resolve()
    sessions.delete(sessionId)
  }
  return {
    arrived,
    coming: (sessionId) => sessions.get(sessionId)?.promise,
    expect(sessionId) {
      const mine = sessions.get(sessionId) ?? Promise.withResolvers<void>()
      sessions.set(sessionId, mine)
      return {
        [Symbol.dispose]() {
          if (sessions.get(sessionId) === mine) arrived(sessionId)
        },
      }
    },
  }
}
