/** What became of a connection or a request. */
export const outcomes = [
  'passed',
  'refused',
  'malformed',
  'unresolved',
  'unreachable',
  'too_many',
  'timed_out',
  'broken',
] as const
export type Outcome = (typeof outcomes)[number]

/** Why something is not passed on, as its answer says. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly outcome: Outcome

  constructor(status: number, outcome: Outcome, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
    this.outcome = outcome
  }
}

export function refuseHost({ host, port }: { host: string; port: number }, why: string): Refusal {
  return new Refusal(403, 'refused', `The host "${host}", port ${port}, ${why}.`)
}

export function malformed(why: string): Refusal {
  return new Refusal(400, 'malformed', `This is a forward proxy: ${why}.`)
}
