export interface RoundsOptions {
  /** As many as the table is to stand on. */
  most: number
  /** So many are made, however long they take. */
  least: number
  /** Once it is used up no further round begins: a machine that does other things as well gives fewer samples. */
  budgetMs: number
}

/** The numbers of the rounds, from 0 on. */
export function* rounds({ most, least, budgetMs }: RoundsOptions): Generator<number> {
  const startedAt = performance.now()
  for (let round = 0; round < most; round += 1) {
    if (round >= least && performance.now() - startedAt > budgetMs) return
    yield round
  }
}
