export const MEBIBYTE = 1024 ** 2

/** Milliseconds. */
export const SECOND = 1000
export const HOUR = 3600 * SECOND
export const DAY = 24 * HOUR
