/** Longer timers overflow in Node and fire at once. */
export const longestTimerMs = 2 ** 31 - 1
