import { Refusal } from './refusal.ts'

/** The labels that are asked for; other filters are refused, but for those whose values are given in `also`. */
export function labelsIn(filters: string, also: Readonly<Record<string, readonly string[]>> = {}): readonly string[] {
  let asked: unknown
  try {
    asked = JSON.parse(filters)
  } catch {
    throw new Refusal('filters that are not JSON', 400)
  }
  const { label = [], ...others } = asked as { label?: unknown }
  for (const [name, values] of Object.entries(others)) {
    const allowed = Object.hasOwn(also, name) ? (also[name] ?? []) : []
    if (!Array.isArray(values) || !values.every((value) => allowed.includes(value)))
      throw new Refusal(`filters by ${JSON.stringify(name)}`)
  }
  if (!Array.isArray(label) || !label.every((entry) => typeof entry === 'string'))
    throw new Refusal('filters by anything but a list of labels')
  return label.map(String)
}
