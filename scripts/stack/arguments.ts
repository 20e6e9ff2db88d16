/** Throws when it is no address of a gateway. */
export function httpAddress(name: string, text: string): URL {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) throw new Error(`--${name} "${text}" is no http address`)
  return new URL(text)
}

/** Throws when it is no whole number from 1 on. */
export function count(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} "${text}" is no number from 1 on`)
  return value
}
