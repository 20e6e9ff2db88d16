/** One thing that must hold. Pure: facts in, complaints out. */
export interface Check<Subject> {
  name: string
  /** What is wrong with it, in words that lead to the place; nothing when it holds. */
  complaints(subject: Subject): readonly string[]
}
