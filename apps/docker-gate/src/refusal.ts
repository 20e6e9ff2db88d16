/** What the gate answers by itself, in the form the daemon's errors have. */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly statusCode: number

  constructor(message: string, statusCode = 403) {
    super(`refused by the gate: ${message}`)
    this.statusCode = statusCode
  }
}
